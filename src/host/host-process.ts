import { takeCoverage } from 'node:v8';

// Entry point of a device host: a child process pinned to one device, started by a worker with its settings as its
// argument. It lives exactly as long as the channel to its worker: a worker that is killed leaves no host behind.
//
// Nothing else is imported before the listeners are there: loading takes most of a second, in which the worker may die and the
// channel close unheard.

/** Ends at once. process.exit() would wait for lanes inside a library, and libraries complain of an end in mid-work. */
function end(): void {
  takeCoverage();
  process.kill(process.pid, 'SIGKILL');
}

process.once('disconnect', end);
// The channel may have closed before there was a listener, while Node itself started.
if (!process.connected) end();
// A terminal sends Ctrl-C to the whole process group; the worker decides when its host ends, as long as there is one.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (!process.connected) end();
  });
}

const { serveLanes } = await import('./serve-lanes.ts');
serveLanes(process.argv[2]!);
