/** The logger every component is given: structured, one line each. pino fits it; tests pass `quiet`. */
export interface Logger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
  child(bindings: object): Logger
}

const nothing = () => {}
/** Says nothing. */
export const quiet: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => quiet }

/** What every `start…` of a long-running component resolves with. */
export interface Component { stop(): Promise<void> }
