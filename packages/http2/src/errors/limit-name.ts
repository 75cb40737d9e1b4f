/**
 * Every limit that a peer can strike. The list is closed, so that it can be a label of a metric; docs/specs/limits.md says
 * what each one limits.
 */
export const limitNames = [
  "connections",
  "connections_per_address",
  "tls_handshakes",
  "file_handles",
  "handshake_timeout",
  "settings_ack_timeout",
  "frame_timeout",
  "frame_size",
  "settings_entries",
  "streams",
  "shared_streams",
  "header_list",
  "large_header_list",
  "header_block",
  "interim_heads",
  "resets",
  "caused_resets",
  "glitches",
  "small_data",
  "unfinished_messages",
  "control_frames",
  "output_backlog",
  "output_stall",
  "waiting_output",
  "pings",
  "write_stall",
  "stream_stall",
] as const;

export type LimitName = (typeof limitNames)[number];

/**
 * What was done about it: a stream or connection was not taken, one stream was reset, reading stopped for a while, or all ended; or
 * nothing at all, because the peer only came near a limit.
 */
export type LimitAction = "refused" | "reset" | "paused" | "closed" | "warned";

/** A peer has exceeded a limit. */
export interface LimitEvent {
  readonly limit: LimitName;
  readonly action: LimitAction;
  /** The stream it happened on; 0 when it concerns the whole connection. */
  readonly streamId: number;
  /** In words, for people. Nothing in it was written by the peer. */
  readonly detail: string;
}
