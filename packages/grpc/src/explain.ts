// What a channel and the error of a call explain of themselves.

export type {
  AttemptExplanation,
  CallExplanation,
  CallPhase,
  ChannelExplanation,
  EndpointExplanation,
  PhaseTime,
  ResolverExplanation,
} from "./channel/explain/explanation.ts";
