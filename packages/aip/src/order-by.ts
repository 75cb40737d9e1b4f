import { invalidArgument } from "@tercel/grpc/errors";
import { nearestName } from "@tercel/grpc/internal";
import { findField, isRepeated, type ListFields } from "./list-fields.ts";

/** One sort key. Later keys only decide between items that are equal in all earlier ones. */
export interface OrderKey {
  readonly field: string;
  readonly descending: boolean;
}

const maxKeys = 10;

/**
 * Parses the `order_by` of a list request (AIP-132), for example `created_at desc, email`. The empty string means no order.
 *
 * @param requestField the name of the request field in the error. Default `order_by`
 * @throws ConnectError InvalidArgument that names the first invalid part
 */
export function parseOrderBy(source: string, fields: ListFields, requestField = "order_by"): readonly OrderKey[] {
  if (source.trim() === "") return [];
  const refuse = (description: string): never => {
    throw invalidArgument({ field: requestField, description, reason: "ORDER_BY_INVALID" });
  };
  const parts = source.split(",", maxKeys + 1);
  if (parts.length > maxKeys) refuse(`has more than ${maxKeys} fields`);
  const keys: OrderKey[] = [];
  for (const part of parts) {
    const [name = "", direction = "asc", ...rest] = part.trim().split(/\s+/, 4);
    if (name === "") refuse("has an empty entry before or after a comma");
    const field = findField(fields, name);
    if (field === undefined || isRepeated(field)) {
      const known = Object.keys(fields).filter((one) => !isRepeated(fields[one] as ListFields[string]));
      const nearest = nearestName(name, known);
      const hint = nearest === undefined ? `one of ${known.join(", ")}` : `did you mean "${nearest}"?`;
      refuse(`cannot use the field "${name.slice(0, 64)}"; ${hint}`);
    }
    if ((direction !== "asc" && direction !== "desc") || rest.length > 0) {
      refuse(`has "${part.trim().slice(0, 64)}"; only asc or desc may follow a field name`);
    }
    if (keys.some((one) => one.field === name)) refuse(`has the field "${name}" twice`);
    keys.push({ field: name, descending: direction === "desc" });
  }
  return keys;
}
