// usage: npm run bench [-- noise | end-to-end ...]      without a name all but latency, agreement (an hour) and chaos (minutes)
const QUICK = ['noise', 'end-to-end', 'scaling', 'fleet'];
const BENCHES = [...QUICK, 'latency', 'agreement', 'chaos'];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  console.error(`no bench is named ${unknown.join(', ')}; there are: ${BENCHES.join(', ')}`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : QUICK) {
  console.log(`\n== ${name}`);
  const { run } = await import(`./${name}.mjs`);
  await run();
}
