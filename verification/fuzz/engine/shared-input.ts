/** The supervisor's settings for the thread of a target. */
export interface Orders {
  target: string;
  seconds: number;
  seed: number;
  seedFolder: string;
  /** The folder for inputs with new coverage, for the next run. */
  grownFolder: string;
  memory: SharedArrayBuffer;
}

/** The report of the thread. */
export interface Progress {
  executions: number;
  corpus: number;
  covered: number;
  branches: number;
  isDone: boolean;
}

const maxInputBytes = 65_536;

/** The current input, in memory that both threads share. */
export class SharedInput {
  private readonly length: Uint32Array;
  private readonly bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8 + maxInputBytes)) {
    this.length = new Uint32Array(memory, 0, 2);
    this.bytes = new Uint8Array(memory, 8);
  }

  get memory(): SharedArrayBuffer {
    return this.bytes.buffer as SharedArrayBuffer;
  }

  /** Increases with every input, and wraps around. */
  get serial(): number {
    return Atomics.load(this.length, 1);
  }

  set(input: Uint8Array): void {
    this.bytes.set(input);
    this.length[0] = input.length;
    Atomics.add(this.length, 1, 1);
  }

  get(): Uint8Array {
    return this.bytes.slice(0, this.length[0]);
  }
}
