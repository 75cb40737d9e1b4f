import { maxIdChars } from "../service/field-rules.ts";

/** Where a list goes on: after the order with this sequence number, in the list of this user's orders. */
export interface PagePosition {
  readonly beforeSeq: number;
  readonly userId: string;
}

/** The largest token this service makes: 16 digits, a separator and an id, in base64 (4 characters for 3 bytes). */
const maxTokenChars = Math.ceil((16 + 1 + maxIdChars * 3) / 3) * 4;

/** Writes a position as a token that callers cannot mistake for a number to compute with (AIP-158). */
export function pageTokenOf(position: PagePosition): string {
  return Buffer.from(`${position.beforeSeq}:${position.userId}`).toString("base64url");
}

/** The position that a token stands for, or undefined for a token that this service did not make for that user's list. */
export function positionOf(token: string, userId: string): PagePosition | undefined {
  if (token.length > maxTokenChars) return undefined;
  const [digits = "", ...rest] = Buffer.from(token, "base64url").toString().split(":");
  if (!/^[1-9][0-9]{0,15}$/.test(digits)) return undefined;
  const position = { beforeSeq: Number(digits), userId };
  return Number.isSafeInteger(position.beforeSeq) && rest.join(":") === userId ? position : undefined;
}
