import { type ParseServiceConfigOptions, parseServiceConfig } from "./parse-service-config.ts";
import { emptyServiceConfig, type ServiceConfig } from "./service-config.ts";

/**
 * Which service config is in force: the resolver's, or the application's where the resolver brings none. An invalid one
 * changes nothing (gRFC A21). Where nothing was valid before, the application's holds if it gave one.
 */
export class ServiceConfigChoice {
  /** The application's, or an empty one. */
  readonly byDefault: ServiceConfig;
  private readonly isDefaultGiven: boolean;
  private readonly parse: ParseServiceConfigOptions;
  /** Undefined until a result of the resolver could be used. */
  current: ServiceConfig | undefined = undefined;
  /** What the resolver sent last and `current` was made of: the same text again means the same object. */
  private currentText: string | undefined = undefined;

  constructor(given: ServiceConfig | undefined, balancers: ParseServiceConfigOptions["balancers"]) {
    this.byDefault = given ?? emptyServiceConfig;
    this.isDefaultGiven = given !== undefined;
    this.parse = { balancers, refuseUnknown: false, where: "service config" };
  }

  /** Takes what a resolver has brought. Returns what is wrong with it, upon which `current` is as before. */
  choose(json: string | undefined): TypeError | undefined {
    if (json === undefined) {
      this.current = this.byDefault;
      this.currentText = undefined;
      return undefined;
    }
    if (this.current !== undefined && json === this.currentText) return undefined;
    try {
      this.current = parseServiceConfig(json, this.parse);
      this.currentText = json;
      return undefined;
    } catch (error) {
      return error instanceof TypeError ? error : new TypeError(String(error), { cause: error });
    }
  }

  /** The resolver did not return a usable config. Returns the config that stays in force; undefined without one. */
  fallBack(): "earlier config" | "default config" | undefined {
    if (this.current !== undefined) return this.current === this.byDefault ? "default config" : "earlier config";
    if (!this.isDefaultGiven) return undefined;
    this.current = this.byDefault;
    return "default config";
  }
}
