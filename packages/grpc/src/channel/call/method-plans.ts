import type { DescMethod } from "@bufbuild/protobuf";
import type { ClientCallSettings } from "../../transport/client-call-settings.ts";
import type { RequestHeads } from "../../transport/request-heads.ts";
import { RetryThrottle } from "../retry/retry-throttle.ts";
import { emptyServiceConfig, type MethodConfig, type ServiceConfig } from "../service-config/service-config.ts";

/** What all calls of one method have in common under one service config. */
export interface MethodPlan {
  readonly head: ReturnType<RequestHeads["of"]>;
  readonly settings: ClientCallSettings;
  readonly config: MethodConfig;
}

/** Puts together, once for each method, what the channel's options and the service config say about its calls. */
export class MethodPlans {
  private readonly heads: RequestHeads;
  private readonly settings: ClientCallSettings;
  private readonly byMethod = new Map<DescMethod, MethodPlan>();
  private config: ServiceConfig = emptyServiceConfig;
  /** Shared by all calls; undefined where the service config throttles nothing. */
  throttle: RetryThrottle | undefined = undefined;

  constructor(heads: RequestHeads, settings: ClientCallSettings) {
    this.heads = heads;
    this.settings = settings;
  }

  of(method: DescMethod): MethodPlan {
    let plan = this.byMethod.get(method);
    if (plan === undefined) {
      const config = this.config.methods.of(method.parent.typeName, method.name);
      plan = { head: this.heads.of(method), settings: limitSettings(this.settings, config), config };
      this.byMethod.set(method, plan);
    }
    return plan;
  }

  /** For calls that begin from now on. */
  use(config: ServiceConfig): void {
    if (config === this.config) return;
    this.config = config;
    this.byMethod.clear();
    const { retryThrottling } = config;
    this.throttle = retryThrottling === undefined ? undefined : new RetryThrottle(retryThrottling, this.throttle);
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
