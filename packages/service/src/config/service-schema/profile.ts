/** What defaults depend on. */
export interface Profile {
  /** Every environment but development and test. */
  readonly isProduction: boolean;
}
