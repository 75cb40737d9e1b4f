/** The profile that defaults depend on. */
export interface Profile {
  /** True for every environment except development and test. */
  readonly isProduction: boolean;
}
