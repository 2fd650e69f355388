/** Where events go. */

/**
 * How a request and its events wait for each other, by Kubernetes's names: `batch` gathers events and nobody waits; `blocking` writes each
 * at once, before the request goes on; `blocking-strict` refuses the request when its first event cannot be written.
 */
export type Mode = 'batch' | 'blocking' | 'blocking-strict'

export interface AuditBackend {
  /** `log`, `webhook`: as metrics and messages call it. */
  readonly name: string
  /** A request whose first event cannot be written is refused. */
  readonly strict: boolean
  /** Bytes of the largest event it takes whole; larger ones come without their bodies, or not at all. Left out: it takes all. */
  readonly maxEventSize?: number | undefined
  /** Takes an event as JSON text. What it returns settles when the event is where it belongs; nothing: it is, or nobody waits. */
  write(line: string): Promise<void> | void
  /** Writes what is left. */
  stop(): Promise<void>
}
