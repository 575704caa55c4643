// The noise kernel, in AssemblyScript with SIMD: x + K for whole rows, K drawn by inversion of 96-bit cutpoints.
// `npm run kernel` compiles it to noise-kernel.wasm.ts. noise-kernel.ts is its only caller and checks every argument;
// nothing is checked here. reference.ts defines what it computes.
//
// A draw is a 96-bit integer of six 16-bit digits, and digit p of the eight elements of a block is one Philox4x32-10
// block with p in its counter. Digit 0 alone decides 97 to 99.6 % of the draws through a table of 65,536 entries; the
// others get digit 1, four blocks at a time; once in some millions of draws all six digits are needed.
//
// The counter is (sample, block, stream, digit | purpose << 8 | sampleHigh << 16). With the block in the second word
// the first rounds multiply mostly words that are constant along a row: 16 of 20 multiplications remain.

const MULTIPLIER_0: u32 = 0xD2511F53;
const MULTIPLIER_1: u32 = 0xCD9E8D57;
const WEYL_0: u32 = 0x9E3779B9;
const WEYL_1: u32 = 0xBB67AE85;
const ROUNDS = 10;

// Elements of one pass: what a pass writes (some 20 KiB) stays in the first-level cache beside a part of the table.
const PASS = 2048;

// Memory map, in bytes. The caller asks for the addresses that it fills and lays out what follows HEAP itself.
const ROUND_KEYS: usize = 1024;                         // ROUNDS pairs of keys, each in all four lanes
const ROW: usize = ROUND_KEYS + 32 * ROUNDS;            // 5 constants of a row, each in all four lanes
const DEEP_BLOCK: usize = ROW + 5 * 16;                 // 4 blocks of words
const WORDS: usize = 2048;                              // digit 0: for four blocks at a time, word 0 of each, word 1 ...
const NOISE: usize = WORDS + 2 * PASS + 64;             // int16 K in element order; 64: the generator runs one quad ahead
const POSITIONS: usize = NOISE + 2 * PASS + 64;         // u16 positions of undecided elements; 64: zeros behind NOISE
const BLOCKS: usize = POSITIONS + 2 * PASS;             // u32 blocks that hold them, counted from 1
const SECOND_WORDS: usize = BLOCKS + PASS / 2 + 64;     // digit 1 of those blocks
const TABLE: usize = 65536;                             // int16[65536]: K, or UNDECIDED + the least K possible
const HIGH: usize = TABLE + 131072;                     // u32[16384]: top 32 bits of C_{kmin+i}, then a guard of ones
const LOW: usize = HIGH + 65536;                        // u64[16384]: low 64 bits of C_{kmin+i}
const HEAP: usize = LOW + 131072;                       // 6 pages from 0: KERNEL_PAGES of kernel-module.ts

const UNDECIDED = 16384;
const LARGEST_NOISE: i16 = 8191;

export function tableAddress(): usize { return TABLE; }
export function highAddress(): usize { return HIGH; }
export function lowAddress(): usize { return LOW; }
export function heapAddress(): usize { return HEAP; }

let kmin: i32 = 0, kmax: i32 = 0;
let key0: u32 = 0, key1: u32 = 0, stream: u32 = 0;
let deepDraws: u32 = 0;

/** How many draws needed all six digits so far. */
export function countDeepDraws(): u32 { return deepDraws; }

export function setRange(low: i32, high: i32): void { kmin = low; kmax = high; }

export function setStream(k0: u32, k1: u32, c2: u32): void {
  key0 = k0; key1 = k1; stream = c2;
  for (let at = ROUND_KEYS; at < ROW; at += 32) {
    v128.store(at, i32x4.splat(k0));
    v128.store(at, i32x4.splat(k1), 16);
    k0 += WEYL_0; k1 += WEYL_1;
  }
}

/** What rounds 0 to 3 compute without the block index. */
function setRow(sample: u32, tag: u32): void {
  let p0 = <u64>MULTIPLIER_0 * <u64>sample, p1 = <u64>MULTIPLIER_1 * <u64>stream;
  let a0 = <u32>(p1 >> 32) ^ key0, b1 = <u32>p1, c1 = <u32>(p0 >> 32) ^ tag ^ key1, d1 = <u32>p0;
  let q1 = <u64>MULTIPLIER_1 * <u64>c1;
  let a2 = <u32>(q1 >> 32) ^ b1 ^ (key0 + WEYL_0), b2 = <u32>q1;
  let q2 = <u64>MULTIPLIER_0 * <u64>a2;
  v128.store(ROW, i32x4.splat(a0));
  v128.store(ROW, i32x4.splat(d1 ^ (key1 + WEYL_1)), 16);
  v128.store(ROW, i32x4.splat(b2 ^ (key0 + 2 * WEYL_0)), 32);
  v128.store(ROW, i32x4.splat(<u32>(q2 >> 32) ^ (key1 + 2 * WEYL_1)), 48);
  v128.store(ROW, i32x4.splat(<u32>q2 ^ (key1 + 3 * WEYL_1)), 64);
}

// @ts-ignore
@inline function highHalves(p: v128, q: v128): v128 { return v128.shuffle<u32>(p, q, 1, 3, 5, 7); }
// @ts-ignore
@inline function lowHalves(p: v128, q: v128): v128 { return v128.shuffle<u32>(p, q, 0, 2, 4, 6); }

/** Four Philox blocks (one a lane) of the row that setRow prepared. */
// @ts-ignore
@inline function generate(blocks: v128, target: usize): void {
  const m0 = i32x4.splat(MULTIPLIER_0), m1 = i32x4.splat(MULTIPLIER_1);
  let a = v128.xor(blocks, v128.load(ROW));                                        // round 0
  let p = i64x2.extmul_low_i32x4_u(a, m0), q = i64x2.extmul_high_i32x4_u(a, m0);   // round 1
  let c = v128.xor(highHalves(p, q), v128.load(ROW, 16)), d = lowHalves(p, q);
  p = i64x2.extmul_low_i32x4_u(c, m1); q = i64x2.extmul_high_i32x4_u(c, m1);       // round 2
  let b = lowHalves(p, q);
  a = v128.xor(highHalves(p, q), v128.load(ROW, 32));
  c = v128.xor(d, v128.load(ROW, 48));
  let last = v128.load(ROW, 64);                                                   // d ^ key1 of round 3 is constant
  for (let key = ROUND_KEYS + 3 * 32; key < ROUND_KEYS + ROUNDS * 32; key += 32) { // rounds 3 to 9
    p = i64x2.extmul_low_i32x4_u(a, m0); q = i64x2.extmul_high_i32x4_u(a, m0);
    let u = i64x2.extmul_low_i32x4_u(c, m1), v = i64x2.extmul_high_i32x4_u(c, m1);
    a = v128.xor(v128.xor(highHalves(u, v), b), v128.load(key));
    b = lowHalves(u, v);
    c = v128.xor(highHalves(p, q), last);
    d = lowHalves(p, q);
    last = v128.xor(d, v128.load(key, 48));
  }
  v128.store(target, a); v128.store(target, b, 16); v128.store(target, c, 32); v128.store(target, d, 48);
}

// @ts-ignore
@inline function lookUp(twice: u64, target: usize): void {
  store<u16>(target, load<u16>(<usize>(twice & 0x1fffe), TABLE));
}

/**
 * Digit 0 of `quads` times four blocks from `block` on, looked up. The lookups run one quad behind the generator, so
 * that the processor overlaps multiplications and loads.
 */
function drawFirstDigits(quads: i32, block: u32): void {
  let blocks = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  let ahead = WORDS, source = WORDS, target = NOISE;
  generate(blocks, ahead);
  for (let quad = 0; quad < quads; quad++) {
    blocks = i32x4.add(blocks, i32x4.splat(4));
    ahead += 64;
    generate(blocks, ahead);
    for (let word = 0; word < 4; word++) { // elements 2·word and 2·word + 1 of each of the four blocks
      let u = load<u64>(source), v = load<u64>(source, 8);
      lookUp(u << 1, target); lookUp(u >> 15, target + 2);
      lookUp(u >> 31, target + 16); lookUp(u >> 47, target + 18);
      lookUp(v << 1, target + 32); lookUp(v >> 15, target + 34);
      lookUp(v >> 31, target + 48); lookUp(v >> 47, target + 50);
      source += 16; target += 4;
    }
    target += 48;
  }
  // undecidedOf64 below reads 64 elements at a time
  const zero = i32x4.splat(0);
  v128.store(target, zero); v128.store(target, zero, 16); v128.store(target, zero, 32); v128.store(target, zero, 48);
}

// @ts-ignore
@inline function undecidedOf16(at: usize): u32 {
  const most = i16x8.splat(LARGEST_NOISE);
  return <u32>i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.gt_s(v128.load(at), most), i16x8.gt_s(v128.load(at, 16), most)));
}
// @ts-ignore
@inline function undecidedOf64(at: usize): u64 {
  return <u64>(undecidedOf16(at) | (undecidedOf16(at + 32) << 16)) |
    (<u64>(undecidedOf16(at + 64) | (undecidedOf16(at + 96) << 16)) << 32);
}

// @ts-ignore
@inline function digitAt(words: usize, slot: i32, place: i32): u32 {
  return <u32>load<u16>(words + ((slot >> 2) << 6) + ((slot & 3) << 2) + ((place >> 1) << 4) + ((place & 1) << 1));
}

/** Decides what the first digits left open among the `count` elements of a pass. */
function resolve(count: i32, block: u32, sample: u32, tag: u32): void {
  let open = 0, openBlocks = 0, last = -1;
  for (let from = 0; from < count; from += 64) {
    let mask = undecidedOf64(NOISE + (<usize>from << 1));
    while (mask) {
      let position = from + <i32>ctz(mask), holder = position >> 3;
      mask &= mask - 1;
      store<u16>(POSITIONS + (<usize>open << 1), <u16>position);
      open++;
      openBlocks += i32(holder != last);
      last = holder;
      store<u32>(BLOCKS + (<usize>openBlocks << 2), holder);
    }
  }
  if (!open) return;
  setRow(sample, tag + 1);
  const base = i32x4.splat(block);
  for (let i = 0; i < openBlocks; i += 4) {
    generate(i32x4.add(v128.load(BLOCKS + (<usize>i << 2), 4), base), SECOND_WORDS + (<usize>i << 4));
  }
  let slot = -1;
  last = -1;
  for (let i = 0; i < open; i++) {
    let position = <i32>load<u16>(POSITIONS + (<usize>i << 1)), holder = position >> 3, place = position & 7;
    slot += i32(holder != last);
    last = holder;
    let high = (digitAt(WORDS, holder, place) << 16) | digitAt(SECOND_WORDS, slot, place);
    let at = NOISE + (<usize>position << 1), k = <i32>load<i16>(at) - UNDECIDED;
    // nearly always exactly one cutpoint lies between: the first step is taken without a branch
    let cutpoint = HIGH + (<usize>(k + 1 - kmin) << 2), step = i32(load<u32>(cutpoint) < high);
    k += step;
    cutpoint += step << 2;
    let next = load<u32>(cutpoint);
    while (next < high) { k++; cutpoint += 4; next = load<u32>(cutpoint); }
    if (next == high) k = resolveDeep(k, high, block + holder, place, sample, tag);
    store<i16>(at, <i16>k);
  }
}

/** The top 32 bits equal those of the next cutpoint: digits 2 to 5 give the other 64. */
function resolveDeep(k: i32, high: u32, block: u32, place: i32, sample: u32, tag: u32): i32 {
  deepDraws++;
  let low: u64 = 0;
  for (let digit = 2; digit < 6; digit++) {
    setRow(sample, tag + digit);
    generate(i32x4.splat(block), DEEP_BLOCK);
    low = (low << 16) | <u64>digitAt(DEEP_BLOCK, 0, place);
  }
  while (k < kmax) {
    let next = <usize>(k + 1 - kmin), nextHigh = load<u32>(HIGH + (next << 2));
    if (nextHigh > high || (nextHigh == high && load<u64>(LOW + (next << 3)) > low)) break;
    k++;
  }
  return k;
}

// @ts-ignore
@inline function sumOf8(noise: usize, image: usize): v128 { return i16x8.add(v128.load(noise), v128.load8x8_u(image)); }
// @ts-ignore
@inline function sumOf1(noise: usize, image: usize): i32 { return <i32>load<i16>(noise) + <i32>load<u8>(image); }
// @ts-ignore
@inline function floatsLow(sums: v128): v128 { return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(sums)); }
// @ts-ignore
@inline function floatsHigh(sums: v128): v128 { return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(sums)); }

function emitGrid(image: usize, out: usize, count: i32): void {
  let noise = NOISE, i = 0;
  for (; i + 8 <= count; i += 8) {
    v128.store(out, sumOf8(noise, image));
    noise += 16; image += 8; out += 16;
  }
  for (; i < count; i++) {
    store<i16>(out, <i16>sumOf1(noise, image));
    noise += 2; image += 1; out += 2;
  }
}

/**
 * The float32 nearest to i/255 as i·(257/65536) + i·(1/255 − 257/65536 rounded): the first product is exact, and every
 * |i| <= 8446 gives the bits of the division (a test goes through them all); one product with 1/255 would not.
 */
function emitUnit(image: usize, out: usize, count: i32): void {
  const main: f32 = 0.0039215087890625, rest: f32 = 5.983839201917363e-8;
  const mains = f32x4.splat(main), rests = f32x4.splat(rest);
  let noise = NOISE, i = 0;
  for (; i + 8 <= count; i += 8) {
    let sums = sumOf8(noise, image), f = floatsLow(sums), g = floatsHigh(sums);
    v128.store(out, f32x4.add(f32x4.mul(f, mains), f32x4.mul(f, rests)));
    v128.store(out, f32x4.add(f32x4.mul(g, mains), f32x4.mul(g, rests)), 16);
    noise += 16; image += 8; out += 32;
  }
  for (; i < count; i++) {
    let f = <f32>sumOf1(noise, image);
    store<f32>(out, f * main + f * rest);
    noise += 2; image += 1; out += 4;
  }
}

/** i·scale + offset in two roundings, one channel. */
function emitChannel(noise: usize, image: usize, out: usize, count: i32, scale: f32, offset: f32): void {
  const scales = f32x4.splat(scale), offsets = f32x4.splat(offset);
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    let sums = sumOf8(noise, image);
    v128.store(out, f32x4.add(f32x4.mul(floatsLow(sums), scales), offsets));
    v128.store(out, f32x4.add(f32x4.mul(floatsHigh(sums), scales), offsets), 16);
    noise += 16; image += 8; out += 32;
  }
  for (; i < count; i++) {
    store<f32>(out, <f32>sumOf1(noise, image) * scale + offset);
    noise += 2; image += 1; out += 4;
  }
}

/** Channel after channel, `run` elements each; `scales` holds one float32 a channel and `offsets` too. */
function emitPlanar(first: u32, image: usize, out: usize, count: i32, run: u32, scales: usize, offsets: usize): void {
  let element = first, end = first + count, noise = NOISE;
  while (element < end) {
    let channel = element / run, segment = min(end, (channel + 1) * run) - element;
    emitChannel(noise, image, out, segment, load<f32>(scales + (channel << 2)), load<f32>(offsets + (channel << 2)));
    element += segment; noise += segment << 1; image += segment; out += segment << 2;
  }
}

/** Channels side by side; `scales` and `offsets` repeat theirs over `run` elements, a multiple of 8. */
function emitInterleaved(first: u32, image: usize, out: usize, count: i32, run: u32, scales: usize, offsets: usize): void {
  let noise = NOISE, i = 0, phase = (first % run) << 2, end = run << 2;
  for (; i + 8 <= count; i += 8) {
    let sums = sumOf8(noise, image), s = scales + phase, o = offsets + phase;
    v128.store(out, f32x4.add(f32x4.mul(floatsLow(sums), v128.load(s)), v128.load(o)));
    v128.store(out, f32x4.add(f32x4.mul(floatsHigh(sums), v128.load(s, 16)), v128.load(o, 16)), 16);
    noise += 16; image += 8; out += 32;
    phase += 32;
    if (phase == end) phase = 0;
  }
  for (; i < count; i++) {
    store<f32>(out, <f32>sumOf1(noise, image) * load<f32>(scales + phase) + load<f32>(offsets + phase));
    noise += 2; image += 1; out += 4; phase += 4;
  }
}

const GRID = 0, UNIT = 1, PLANAR = 2;

/**
 * Samples firstSample .. firstSample + rows − 1 (low words; no wrap within a call) of `elements` elements each, written
 * to `out` row after row. `image` holds u8[elements]; `run`, `scales` and `offsets` are for the two affine modes.
 */
export function fill(
  out: usize, rows: u32, elements: u32, image: usize, firstSample: u32, tag: u32,
  mode: i32, run: u32, scales: usize, offsets: usize,
): void {
  const size: usize = mode == GRID ? 1 : 2; // log2 of an output's bytes
  for (let row: u32 = 0; row < rows; row++) {
    let sample = firstSample + row;
    for (let first: u32 = 0; first < elements; first += PASS) {
      let count = <i32>min(elements - first, <u32>PASS), block = first >> 3, quads = (count + 31) >> 5;
      setRow(sample, tag);
      drawFirstDigits(quads, block);
      resolve(quads << 5, block, sample, tag);
      let pixels = image + <usize>first;
      if (mode == UNIT) emitUnit(pixels, out, count);
      else if (mode == GRID) emitGrid(pixels, out, count);
      else if (mode == PLANAR) emitPlanar(first, pixels, out, count, run, scales, offsets);
      else emitInterleaved(first, pixels, out, count, run, scales, offsets);
      out += <usize>count << size;
    }
  }
}
