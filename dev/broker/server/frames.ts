import { MalformedRequestError } from '../protocol/reader';

const lengthBytes = 4;

/** Cuts what arrives on a connection into frames: a length of 4 bytes, then as many bytes. */
export class FrameSplitter {
  private chunks: Buffer[] = [];
  private buffered = 0;

  constructor(private readonly maxFrameBytes: number) {}

  /**
   * Takes the next piece and returns the frames that it completes, without their lengths.
   * @throws MalformedRequestError when a frame claims an impossible length.
   */
  push(chunk: Buffer): Buffer[] {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    const frames: Buffer[] = [];
    for (let length = this.nextLength(); length !== undefined; length = this.nextLength()) {
      if (this.buffered < lengthBytes + length) break;
      frames.push(this.take(lengthBytes + length).subarray(lengthBytes));
    }
    return frames;
  }

  private nextLength(): number | undefined {
    if (this.buffered < lengthBytes) return undefined;
    const [first] = this.chunks;
    const length =
      first !== undefined && first.length >= lengthBytes
        ? first.readInt32BE(0)
        : this.joined().readInt32BE(0);
    if (length < 0 || length > this.maxFrameBytes) {
      throw new MalformedRequestError(`a request of ${length} bytes: ${this.maxFrameBytes} is the limit`);
    }
    return length;
  }

  private take(bytes: number): Buffer {
    const all = this.joined();
    const rest = all.subarray(bytes);
    this.chunks = rest.length > 0 ? [rest] : [];
    this.buffered = rest.length;
    return all.subarray(0, bytes);
  }

  /** The pieces as one; joined only once a frame is complete, so that a large one is copied only once. */
  private joined(): Buffer {
    const all = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }
}
