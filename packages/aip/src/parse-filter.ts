import { invalidArgument } from "@tercel/grpc/errors";
import { nearestName } from "@tercel/grpc/internal";
import type { Filter } from "./filter.ts";
import { type FilterToken, ListSyntaxError, tokenizeFilter } from "./filter-tokens.ts";
import { readFilterValue } from "./filter-value.ts";
import { elementType, findField, isRepeated, type ListFields } from "./list-fields.ts";
import { readPattern } from "./text-pattern.ts";

/** Only programs write longer filters, and they are better served by a separate method. */
const maxFilterCharacters = 4096;
const maxDepth = 32;
const maxComparisons = 100;

/**
 * Parses the `filter` of a list request. Supports a subset of AIP-160:
 *
 * - `field = value`, and `!=`, `<`, `<=`, `>`, `>=`. A string is quoted with `"` or `'`; the quotes are optional for one word.
 * - `*` is a wildcard in the string after `=`, `!=` or `:`. In a quoted string, `\*` is a literal star.
 * - `field:value` means that a repeated field contains the value; for other fields it means `=`. `field:*` means that the field is set.
 * - `AND`, `OR`, `NOT`, `-` and parentheses. OR has a higher precedence than AND, as in AIP-160. Two comparisons without an operator
 *   between them are joined by AND.
 *
 * Functions and values without a field are rejected.
 *
 * @param requestField the name of the request field in the error. Default `filter`
 * @throws ConnectError InvalidArgument with the first error and its position
 */
export function parseFilter(source: string, fields: ListFields, requestField = "filter"): Filter {
  try {
    if (source.length > maxFilterCharacters) {
      throw new ListSyntaxError(`${source.length} characters; at most ${maxFilterCharacters} are allowed`, 0);
    }
    return new FilterParser(tokenizeFilter(source), fields).parse();
  } catch (error) {
    if (!(error instanceof ListSyntaxError)) throw error;
    throw invalidArgument({
      field: requestField,
      description: `is invalid at character ${error.at + 1}: ${error.message}`,
      reason: "FILTER_INVALID",
    });
  }
}

class FilterParser {
  readonly #tokens: readonly FilterToken[];
  readonly #fields: ListFields;
  #next = 0;
  #depth = 0;
  #comparisons = 0;

  constructor(tokens: readonly FilterToken[], fields: ListFields) {
    this.#tokens = tokens;
    this.#fields = fields;
  }

  parse(): Filter {
    if (this.#peek().kind === "end") return { kind: "everything" };
    const filter = this.#expression();
    const rest = this.#peek();
    if (rest.kind !== "end") throw new ListSyntaxError(`unexpected "${rest.text}"`, rest.at);
    return filter;
  }

  #peek(): FilterToken {
    // The last token has the kind "end", and no rule consumes it.
    return this.#tokens[this.#next] as FilterToken;
  }

  #take(): FilterToken {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  /** Parses factors, which are joined by AND or by nothing. */
  #expression(): Filter {
    const operands = [this.#factor()];
    for (;;) {
      const { kind } = this.#peek();
      if (kind === "AND") this.#take();
      else if (kind === "end" || kind === ")") break;
      operands.push(this.#factor());
    }
    return operands.length === 1 ? (operands[0] as Filter) : { kind: "and", operands };
  }

  #factor(): Filter {
    const operands = [this.#term()];
    while (this.#peek().kind === "OR") {
      this.#take();
      operands.push(this.#term());
    }
    return operands.length === 1 ? (operands[0] as Filter) : { kind: "or", operands };
  }

  #term(): Filter {
    const token = this.#peek();
    if (token.kind !== "NOT" && token.kind !== "-") return this.#simple();
    this.#take();
    // Not #term: a double negation is a mistake, and the recursion would be unbounded.
    return { kind: "not", operand: this.#simple() };
  }

  #simple(): Filter {
    const token = this.#take();
    if (token.kind === "(") {
      this.#depth += 1;
      if (this.#depth > maxDepth) throw new ListSyntaxError(`more than ${maxDepth} nested parentheses`, token.at);
      const filter = this.#expression();
      const close = this.#take();
      if (close.kind !== ")") throw new ListSyntaxError('missing ")"', close.at);
      this.#depth -= 1;
      return filter;
    }
    if (token.kind === "text") return this.#restriction(token);
    if (token.kind === "end") throw new ListSyntaxError("missing comparison at the end", token.at);
    if (token.kind === "string") throw new ListSyntaxError("field names have no quotes; write field = value", token.at);
    throw new ListSyntaxError(`expected a field name, found "${token.text}"`, token.at);
  }

  #restriction(name: FilterToken): Filter {
    this.#comparisons += 1;
    if (this.#comparisons > maxComparisons) {
      throw new ListSyntaxError(`more than ${maxComparisons} comparisons`, name.at);
    }
    const operator = this.#peek();
    if (operator.kind === "(") throw new ListSyntaxError(`unknown function "${name.text}"`, name.at);
    const field = findField(this.#fields, name.text);
    if (field === undefined) {
      const known = Object.keys(this.#fields);
      const nearest = nearestName(name.text, known);
      const hint = nearest === undefined ? `one of ${known.join(", ")}` : `did you mean "${nearest}"?`;
      throw new ListSyntaxError(`unknown field "${name.text}"; ${hint}`, name.at);
    }
    if (operator.kind !== "comparator") {
      throw new ListSyntaxError(`missing comparison after "${name.text}"; write ${name.text} = value`, name.at);
    }
    this.#take();
    const negative = this.#peek();
    const argument = this.#take();
    if (argument.kind !== "text" && argument.kind !== "string") {
      throw new ListSyntaxError(`missing value after ${operator.text}`, negative.at);
    }
    const relation = operator.text;
    if (relation === ":" && argument.kind === "text" && argument.text === "*") {
      return { kind: "present", field: name.text, isRepeated: isRepeated(field) };
    }
    const type = elementType(field);
    // Unquoted words have no escapes, so their backslashes are literal.
    const pattern = readPattern(argument.kind === "string" ? argument.text : argument.text.replaceAll("\\", "\\\\"));
    const isEquality = relation === "=" || relation === "!=" || relation === ":";
    if (pattern.pieces.length > 1 && !(type === "string" && isEquality && !isRepeated(field))) {
      throw new ListSyntaxError(
        `"*" is a wildcard only in strings after =, != and :; write "\\*" for a literal star`,
        argument.at,
      );
    }
    if (isRepeated(field) && relation !== ":") {
      throw new ListSyntaxError(`"${name.text}" is a repeated field; write ${name.text}:value`, operator.at);
    }
    if (!isEquality && (type === "bool" || typeof type === "object")) {
      throw new ListSyntaxError(`the values of "${name.text}" have no order; use = or !=`, operator.at);
    }
    if (pattern.pieces.length > 1) return negated(relation, { kind: "like", field: name.text, pattern });
    const value = this.#value(name.text, type, pattern.pieces[0] ?? "", argument.at);
    if (isRepeated(field)) return { kind: "contains", field: name.text, type, value };
    if (isEquality) return negated(relation, { kind: "compare", field: name.text, type, relation: "=", value });
    return { kind: "compare", field: name.text, type, relation: relation as "<" | "<=" | ">" | ">=", value };
  }

  #value(...[field, type, text, at]: [string, Parameters<typeof readFilterValue>[0], string, number]) {
    try {
      return readFilterValue(type, text);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new ListSyntaxError(`"${field}" ${error.message}`, at);
    }
  }
}

function negated(relation: string, operand: Filter): Filter {
  return relation === "!=" ? { kind: "not", operand } : operand;
}
