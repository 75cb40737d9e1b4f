/** Smaller buffers are not counted: so many of them are needed that their objects fill the young generation anyway. With 4 KiB they do, with 16 KiB they do not. */
const minCountedBytes = 16_384;

/** Bytes of buffers that are allowed before it is known how large the young generation is. */
const firstAllowanceBytes = 8_388_608;

/**
 * V8 begins to collect the whole heap once the memory of buffers has grown by 8 MiB and the young generation's size. Half of the
 * 8 MiB stays for what is just being received and sent.
 */
const spareBytes = 4_194_304;

/**
 * What is filled at most: the usual size of a busy program's young generation, and 2 ms. V8 makes it larger where much stays alive, which
 * is when filling is of little use, and it takes the whole heap's collection to come for fewer buffers then.
 */
const maxFilledBytes = 16_777_216;

/** Every V8 takes an array of this size into its young generation, instead of giving it memory of its own. */
const fillerBytes = 65_536;
const wordBytes = 8;

let countedBytes = 0;
let allowanceBytes = firstAllowanceBytes;
let gatheringBytes = 0;
/**
 * Read from each filler, or the compiler might make none. No filler is stored anywhere: what a collection finds in use, or what is stored
 * while the whole heap is marked, survives, and for survivors V8 makes the young generation larger.
 */
const made = { words: 0 };

/**
 * Counts a buffer that only the garbage collector can free, because an application has it or might keep it, and lets V8 collect
 * what is young when much has come together.
 *
 * V8 counts the memory of buffers against the limit of its whole heap, but no amount of it makes the young generation full. So a
 * program that moves large messages, whose buffers are garbage a moment later, has its whole heap marked for every two
 * dozen of MB. The collection of what is young frees the same buffers at a small part of that cost; it comes when the young
 * generation is full, and so it is filled.
 */
export function reportExternalBytes(bufferBytes: number): void {
  if (bufferBytes < minCountedBytes) return;
  countedBytes += bufferBytes;
  // With so much in progress at once, buffers are no longer young when they are released: the whole heap must be marked anyway.
  if (countedBytes < allowanceBytes || gatheringBytes > allowanceBytes / 2) return;
  countedBytes = 0;
  const roomBytes = youngRoomBytes();
  if (roomBytes <= maxFilledBytes) {
    // One beyond what there is room for, which is when V8 collects.
    for (let left = roomBytes; left >= 0; left -= fillerBytes) made.words += new Array(fillerBytes / wordBytes).length;
  }
  // Asked again, because less is free than before the filling: the allowance must stay below V8's limit by what is in progress.
  allowanceBytes = spareBytes + youngRoomBytes();
}

/** A message begins to be gathered in a buffer of its own, which counts once the message is complete and kept, or given up. */
export function gatheringBegan(bufferBytes: number): void {
  gatheringBytes += bufferBytes;
}

/** It is complete, or was given up. */
export function gatheringEnded(bufferBytes: number): void {
  gatheringBytes -= bufferBytes;
}

/** What the young generation takes until it is full. */
function youngRoomBytes(): number {
  // Loaded here, because only programs that move many large messages come here.
  const { getHeapSpaceStatistics } = process.getBuiltinModule("node:v8");
  return getHeapSpaceStatistics().find((space) => space.space_name === "new_space")?.space_available_size ?? 0;
}
