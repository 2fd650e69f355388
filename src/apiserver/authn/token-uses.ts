/** How often service account tokens of which kinds were used, under Kubernetes's names. */
import { Registry } from 'prom-client'
import { createCounter } from '../metrics/series.ts'

/** Each counts one use. */
export interface TokenUses {
  /** Of a token that should have been read anew long ago. */
  stale(): void
  /** Of one of those that hold longer than they should be used, in its time. */
  fresh(): void
  /** Of a token that is kept in a secret, whether it held or not. */
  kept(): void
  /** The secret was made by Kubernetes itself, in older versions. */
  generated(): void
  /** The secret was made by hand. */
  made(): void
  /** The secret was marked invalid. */
  invalidated(): void
}

export function createTokenUses(registry = new Registry()): TokenUses {
  const counter = (name: string, help: string) => {
    const count = createCounter(registry, { name: `serviceaccount_${name}`, help, labels: [] })
    count([], 0)
    return () => count([])
  }
  return {
    stale: counter('stale_tokens_total', 'Uses of tokens that should have been read anew long ago.'),
    fresh: counter('valid_tokens_total', 'Uses of projected tokens in their time.'),
    kept: counter('legacy_tokens_total', 'Uses of tokens that are kept in secrets.'),
    generated: counter('legacy_auto_token_uses_total', 'Uses of tokens in secrets that Kubernetes made by itself.'),
    made: counter('legacy_manual_token_uses_total', 'Uses of tokens in secrets that were made by hand.'),
    invalidated: counter('invalid_legacy_auto_token_uses_total', 'Uses of tokens in secrets that were marked invalid.'),
  }
}
