import { sendUnfinishedMessages } from "./unfinished-messages.ts";
import { leaveResponsesUnread } from "./unread-responses.ts";

/** Attacks that depend on what the server says, by name. The others are bytes that are sent as fast as they are taken. */
export const readingAttacks: Readonly<Record<string, (port: number) => Promise<never>>> = {
  "messages of 4 MiB without their last byte": sendUnfinishedMessages,
  "2,000 calls with unread responses of 64 KiB": leaveResponsesUnread,
};
