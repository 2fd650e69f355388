import type { Agent } from 'node:https'

/** A server to send requests to. */
export interface Target {
  readonly url: string
  readonly agent: Agent
  stop(): void
}
