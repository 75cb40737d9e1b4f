/** The metadata name that carries the key unless an interceptor was given another. */
export const defaultHeader = "x-service-key";
