import { create, type DescMessage, type DescService, isMessage, type Message, type Registry } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { CompilationError, createValidator, type Validator, type Violation } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { type FieldViolation, internal, invalidArgument, withCommonDetails } from "@tercel/grpc/errors";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { safeLog, thrownText } from "@tercel/grpc/internal";
import { flag, logOption, type OptionsOf, readOptions, servicesOption, withMethods } from "../call/options.ts";
import { compileQuickCheck, type QuickCheck } from "./quick-check.ts";
import { RuleTranslation } from "./translate-rules.ts";

export const validationOptions = {
  /** The rules of these services' requests are compiled at once, so that a wrong one is found at the start. Default: none. */
  services: servicesOption().or([]),
  /** Extensions with predefined rules of your own, and types that an Any may hold. Default: none. */
  registry: withMethods<Registry>("a registry of protobuf-es", "getMessage"),
  /** Whether violations are also listed in common.v1.ValidationError. Default false. */
  commonDetails: flag().or(false),
  /** Gets an error for rules that cannot be applied; such a request fails with INTERNAL. Default: standard error. */
  log: logOption(),
};

export type ValidationOptions = OptionsOf<typeof validationOptions>;

interface MessageRules {
  readonly schema: DescMessage;
  readonly isSurelyFine: QuickCheck | undefined;
}

const where = "createValidation";

/** Trailers are small: peers commonly take 8 to 16 KiB of them, and both forms of the details have to fit, as base64. */
const maxListedBytes = 2048;
/** Paths hold map keys, which the client chooses. */
const maxTextChars = 200;

/**
 * An interceptor that checks requests against the rules in their proto, those of protovalidate (buf/validate/validate.proto) and
 * those of protoc-gen-validate (validate/validate.proto). What breaks one fails with INVALID_ARGUMENT and a
 * google.rpc.BadRequest that names the fields; a stream fails at its first bad message. A rule that cannot be applied is INTERNAL.
 *
 * It is for servers; on a client it spares the round trip: what it refuses is not sent. It needs the package `@bufbuild/protovalidate`.
 *
 * @throws TypeError for an unknown option, and for rules of the `services` that cannot be compiled
 */
export function createValidation(options: ValidationOptions = {}): Interceptor {
  const settings = readOptions(where, validationOptions, options);
  const { services, registry, commonDetails } = settings;
  const log = safeLog(settings.log);
  const validator = createValidator(registry === undefined ? {} : { registry });
  const translation = new RuleTranslation();
  const rulesOf = new WeakMap<DescMessage, MessageRules>();

  function compiled(given: DescMessage): MessageRules {
    let rules = rulesOf.get(given);
    if (rules === undefined) {
      const schema = translation.translated(given);
      rules = { schema, isSurelyFine: compileQuickCheck(schema) };
      rulesOf.set(given, rules);
    }
    return rules;
  }

  function check(input: DescMessage, message: Message): void {
    const { schema, isSurelyFine } = compiled(input);
    if (isSurelyFine?.(message) === true) return;
    const result = validator.validate(schema, message);
    if (result.kind === "valid") return;
    if (result.kind === "invalid") {
      const error = invalidArgument({ ...describe(result.violations) });
      throw commonDetails ? withCommonDetails(error) : error;
    }
    log.error("the rules of a message cannot be applied", { type: input.typeName, error: thrownText(result.error) });
    throw internal({ message: "the request could not be checked", cause: result.error });
  }

  compileAll(services, validator, (message) => compiled(message).schema);

  return createHookedInterceptor({
    onRequest(request, _state, message) {
      const { input } = request.method;
      check(input, isMessage(message) ? message : create(input, message as Record<string, unknown>));
    },
  });
}

function compileAll(
  services: readonly DescService[],
  validator: Validator,
  schemaOf: (message: DescMessage) => DescMessage,
): void {
  for (const { input } of services.flatMap(({ methods }) => methods)) {
    const schema = schemaOf(input);
    const { error } = validator.validate(schema, create(schema));
    if (error instanceof CompilationError) {
      throw new TypeError(`${where}: the rules of ${input.typeName} are wrong: ${error.message}`, { cause: error });
    }
  }
}

/** What the error says: as many violations as fit, and how many there are. */
function describe(violations: readonly Violation[]): { message: string; violations: FieldViolation[] } {
  const listed: FieldViolation[] = [];
  let bytes = 0;
  for (const one of violations) {
    const violation = toFieldViolation(one);
    bytes += Buffer.byteLength(violation.field + violation.description + violation.reason);
    if (bytes > maxListedBytes && listed.length > 0) break;
    listed.push(violation);
  }
  const more = violations.length - 1;
  const first = listed[0] as FieldViolation;
  const text = `${first.field === "" ? "" : `${first.field}: `}${first.description}`;
  return { message: more > 0 ? `${text}; and ${more} more` : text, violations: listed };
}

function toFieldViolation({ field, message, ruleId }: Violation): FieldViolation & { readonly reason: string } {
  return {
    field: cut(pathToString(field)),
    description: cut(message === "" ? ruleId : message),
    // google.rpc wants capitals with underscores.
    reason: ruleId
      .toUpperCase()
      .replace(/[^A-Z0-9]+/g, "_")
      .slice(0, 63),
  };
}

function cut(text: string): string {
  return text.length > maxTextChars ? `${text.slice(0, maxTextChars).toWellFormed()}…` : text.toWellFormed();
}
