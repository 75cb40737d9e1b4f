import type { DescMethod } from "@bufbuild/protobuf";
import { rawMessages } from "../../call/messages/message-codec.ts";
import { defineMethod, type MethodDefinition } from "../../call/method-definition.ts";
import { parseMethodPath } from "../../protocol/method-path.ts";
import {
  type ClientCallPlan,
  type ClientCallSettings,
  planCalls,
} from "../../transport/client/client-call-settings.ts";
import type { RequestHeads } from "../../transport/request-heads.ts";
import { RetryThrottle } from "../retry/retry-throttle.ts";
import { emptyServiceConfig, type MethodConfig, type ServiceConfig } from "../service-config/service-config.ts";
import { rawResponses } from "./raw-responses.ts";
import { type ResponseMaker, typedResponses } from "./responses.ts";

/** What all calls of one method have in common under one service config. */
export interface MethodPlan extends ClientCallPlan {
  readonly responses: ResponseMaker;
  readonly head: ReturnType<RequestHeads["of"]>;
  readonly config: MethodConfig;
}

/** A proxy calls what others name, so not every path is remembered. */
const maxPaths = 1000;

/** Puts together, once for each method, what the channel's options and the service config say about its calls. */
export class MethodPlans {
  private readonly heads: RequestHeads;
  private readonly settings: ClientCallSettings;
  private readonly byMethod = new Map<DescMethod, MethodPlan>();
  private readonly byPath = new Map<string, MethodPlan>();
  private config: ServiceConfig = emptyServiceConfig;
  /** Shared by all calls; undefined where the service config throttles nothing. */
  throttle: RetryThrottle | undefined = undefined;

  constructor(heads: RequestHeads, settings: ClientCallSettings) {
    this.heads = heads;
    this.settings = settings;
  }

  of(desc: DescMethod): MethodPlan {
    let plan = this.byMethod.get(desc);
    if (plan === undefined) {
      plan = this.make(defineMethod(desc, this.settings.codec));
      this.byMethod.set(desc, plan);
    }
    return plan;
  }

  /**
   * For calls whose messages are bytes.
   *
   * @throws ConnectError for a path that is not of the form /Service/Method
   */
  ofPath(path: string): MethodPlan {
    let plan = this.byPath.get(path);
    if (plan === undefined) {
      const name = parseMethodPath(path);
      if ("error" in name) throw name.error;
      plan = this.make({ path, name, request: rawMessages, response: rawMessages, desc: undefined });
      if (this.byPath.size >= maxPaths) this.byPath.clear();
      this.byPath.set(path, plan);
    }
    return plan;
  }

  /** The plan of the same method under the present service config. */
  renewed({ method }: MethodPlan): MethodPlan {
    return method.desc === undefined ? this.ofPath(method.path) : this.of(method.desc);
  }

  /** For calls that begin from now on. */
  use(config: ServiceConfig): void {
    if (config === this.config) return;
    this.config = config;
    this.byMethod.clear();
    this.byPath.clear();
    const { retryThrottling } = config;
    this.throttle = retryThrottling === undefined ? undefined : new RetryThrottle(retryThrottling, this.throttle);
  }

  private make(method: MethodDefinition): MethodPlan {
    const config = this.config.methods.of(method.name.service, method.name.method);
    return {
      ...planCalls(method, limitSettings(this.settings, config)),
      responses: method.desc === undefined ? rawResponses : typedResponses,
      head: this.heads.of(method.path),
      config,
    };
  }
}

/** Of two limits the smaller one counts. */
function limitSettings(settings: ClientCallSettings, config: MethodConfig): ClientCallSettings {
  const { maxRequestMessageBytes, maxResponseMessageBytes } = config;
  if (maxRequestMessageBytes === undefined && maxResponseMessageBytes === undefined) return settings;
  return {
    ...settings,
    maxSendMessageBytes: Math.min(settings.maxSendMessageBytes, maxRequestMessageBytes ?? Number.POSITIVE_INFINITY),
    maxReceiveMessageBytes: Math.min(
      settings.maxReceiveMessageBytes,
      maxResponseMessageBytes ?? Number.POSITIVE_INFINITY,
    ),
  };
}
