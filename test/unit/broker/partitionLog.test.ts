import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { readHeader } from '../../../dev/broker/protocol/recordBatch';
import { OpenFiles } from '../../../dev/broker/storage/openFiles';
import { PartitionLog } from '../../../dev/broker/storage/partitionLog';
import { SparseIndex } from '../../../dev/broker/storage/sparseIndex';
import { type BatchOptions, makeBatch, readBatches } from '../../integration/conformance/support/batches';
import { temporaryDirectory } from './temporaryDirectory';

const directory = temporaryDirectory();
let files: OpenFiles;
beforeEach(() => {
  files = new OpenFiles();
});
afterEach(() => files.closeAll());

const newLog = (name = '0.log'): PartitionLog => new PartitionLog(join(directory(), name), files);
function append(log: PartitionLog, options: Partial<BatchOptions> = {}): number {
  const batch = makeBatch({ values: ['x'], ...options });
  const header = readHeader(batch);
  if (header === undefined) throw new Error('no header');
  return log.append(batch, header);
}
const offsetsFrom = (log: PartitionLog, offset: number, maxBytes = 1_000_000): number[] =>
  readBatches(log.read(offset, maxBytes, true)).map(({ baseOffset }) => baseOffset);

it('reads on from every offset, through many batches of all sizes', () => {
  const log = newLog();
  const starts: number[] = [];
  for (let batch = 0; batch < 300; batch += 1) {
    const values = Array.from({ length: 1 + (batch % 3) }, () => 'x'.repeat((batch * 37) % 3_000));
    starts.push(append(log, { values }));
  }
  for (const reader of [log, newLog()]) {
    if (reader !== log) reader.load();
    for (let offset = 0; offset < log.end; offset += 1) {
      const start = starts.findLast((candidate) => candidate <= offset);
      expect(offsetsFrom(reader, offset, 4_000)[0]).toBe(start);
    }
    expect(offsetsFrom(reader, log.end)).toEqual([]);
  }
});

it('removes a batch that was cut short, wherever, and goes on behind the last whole one', () => {
  const log = newLog();
  append(log, { values: ['a', 'b'] });
  const whole = statSync(log.file).size;
  append(log, { values: ['c'] });
  const both = readFileSync(log.file);
  for (let size = whole; size < both.length; size += 1) {
    writeFileSync(log.file, both);
    truncateSync(log.file, size);
    const again = newLog();
    expect(again.load()).toBe(size - whole);
    expect(again.end).toBe(2);
    expect(append(again, { values: ['d'] })).toBe(2);
    expect(offsetsFrom(again, 0)).toEqual([0, 2]);
  }
});

it('removes a batch whose content was damaged', () => {
  const log = newLog();
  append(log, { values: ['a'] });
  append(log, { values: ['b'] });
  const bytes = readFileSync(log.file);
  bytes.writeUInt8(0x7a, bytes.length - 2);
  writeFileSync(log.file, bytes);
  const again = newLog();
  expect(again.load()).toBeGreaterThan(0);
  expect(again.end).toBe(1);
});

it('recognises the batches of idempotent producers after a restart', () => {
  const log = newLog();
  const producer = { producerId: 5, epoch: 0 };
  for (let sequence = 0; sequence < 8; sequence += 1) append(log, { ...producer, sequence });
  const again = newLog();
  again.load();
  expect(append(again, { ...producer, sequence: 7 })).toBe(7);
  expect(append(again, { ...producer, sequence: 3 })).toBe(3);
  expect(() => append(again, { ...producer, sequence: 9 })).toThrow('where 8 was expected');
  expect(append(again, { ...producer, sequence: 8 })).toBe(8);
  expect(again.end).toBe(9);
});

it('finds records by their time after a restart too', () => {
  const log = newLog();
  for (let second = 0; second < 200; second += 1) {
    append(log, { values: ['x'.repeat(1_000)], timestamps: [second * 1_000] });
  }
  const again = newLog();
  again.load();
  for (const reader of [log, again]) {
    for (let second = 0; second < 200; second += 7) {
      expect(reader.findSince(second * 1_000 - 500)).toEqual({ offset: second, timestamp: second * 1_000 });
    }
    expect(reader.findSince(200_000)).toBeUndefined();
  }
});

it('wakes whoever waits, once', () => {
  const log = newLog();
  let woken = 0;
  log.onChange(() => (woken += 1));
  const forget = log.onChange(() => (woken += 10));
  forget();
  append(log);
  append(log);
  expect(woken).toBe(1);
});

it('leaves no file behind when it is removed', () => {
  const log = newLog();
  append(log);
  log.remove();
  expect(existsSync(log.file)).toBe(false);
});

it('uses few file descriptors for many partitions', () => {
  files = new OpenFiles(4);
  const logs = Array.from({ length: 20 }, (_, index) => newLog(`${index}.log`));
  for (let round = 0; round < 3; round += 1) for (const log of logs) expect(append(log)).toBe(round);
  for (const log of logs) expect(offsetsFrom(log, 0)).toEqual([0, 1, 2]);
});

describe('the sparse index', () => {
  it('stays small, and never points behind what is looked for', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 }), (sizes) => {
        const index = new SparseIndex(8, 1_000);
        const positions: number[] = [];
        let position = 0;
        for (const [offset, size] of sizes.entries()) {
          index.add({ offset, position, newestBefore: offset - 1 });
          positions.push(position);
          position += size;
        }
        expect(index.size).toBeLessThanOrEqual(8);
        for (const [offset, at] of positions.entries()) {
          expect(index.positionOf(offset)).toBeLessThanOrEqual(at);
          expect(positions).toContain(index.positionOf(offset));
          expect(index.positionSince(offset)).toBeLessThanOrEqual(at);
        }
      }),
    );
  });

  it('is fine enough to be of use', () => {
    const index = new SparseIndex(64, 1_000);
    for (let offset = 0; offset < 10_000; offset += 1) {
      index.add({ offset, position: offset * 100, newestBefore: offset - 1 });
    }
    for (let offset = 0; offset < 10_000; offset += 97) {
      expect(offset * 100 - index.positionOf(offset)).toBeLessThan(1_000_000 / 16);
    }
  });
});
