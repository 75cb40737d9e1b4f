import type { BenchCase, Work } from "./case.ts";
import type { Subject } from "./subjects.ts";

/** Returns whether a subject can run a case. Otherwise the table has an empty cell. */
export function isAble(subject: Subject, { work, isTls, without }: BenchCase): boolean {
  if (isTls && !subject.speaksTls) return false;
  if (without?.includes(subject.name)) return false;
  if (work.kind === "client" || work.kind === "pair") return subject.client !== undefined;
  return !subject.isCanned || isCannedCall(work);
}

/** Returns whether a load makes only the call that the canned responder can respond to. */
function isCannedCall(work: Work): boolean {
  if (work.kind === "open-loop") return true;
  return work.kind === "h2load" && work.method === "Unary" && work.body.length < LARGEST_CANNED_BYTES;
}

/** Between the small call's body and the large one's. */
const LARGEST_CANNED_BYTES = 1024;
