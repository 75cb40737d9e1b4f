/** The type without what may be undefined: such keys are optional instead. */
type WithoutUndefined<Value> = {
  [Key in keyof Value as undefined extends Value[Key] ? never : Key]: Value[Key];
} & {
  [Key in keyof Value as undefined extends Value[Key] ? Key : never]?: Exclude<Value[Key], undefined>;
};

/** Removes keys whose value is undefined, so that the defaults of options apply. */
export function dropUndefined<Value extends object>(value: Value): WithoutUndefined<Value> {
  const defined = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(defined) as WithoutUndefined<Value>;
}
