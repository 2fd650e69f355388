/** What is counted of the issuers of tokens, under Kubernetes's names. Issuers, servers and keys are told apart by hashes: their names are nobody's business. */
import type { Registry } from 'prom-client'
import type { Clock } from '../../../machinery/clock.ts'
import { hashOf } from '../../../machinery/reloads.ts'
import { createHistogram, register } from '../../metrics/series.ts'

export interface JwtMetrics {
  /** A token of the issuer was checked, in seconds. */
  checked(issuer: string, holds: boolean, seconds: number): void
  /** Its keys were asked for: the text of the answer, undefined when there was none. */
  fetched(issuer: string, keys: string | undefined): void
  /** It is not in the configuration any more. */
  forget(issuer: string): void
}

interface Fetches { success?: number; failure?: number; hash?: string }
const bounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const outcomes = ['success', 'failure'] as const

/** `server` names this one among several. */
export function createJwtMetrics(registry: Registry, server: string, clock: Pick<Clock, 'now'>): JwtMetrics {
  const name = 'apiserver_authentication_jwt_authenticator'
  const apiserver_id_hash = hashOf(server)
  const took = createHistogram(registry, { name: `${name}_latency_seconds`, help: 'How long it took to check tokens of issuers that were not seen lately, in seconds.', labels: ['result', 'jwt_issuer_hash'], bounds })
  const issuers = new Map<string, Fetches>()
  register(registry, `${name}_jwks_fetch_last_timestamp_seconds`, 'When the keys of issuers were asked for last, by what came of it.', 'gauge', () =>
    [...issuers].flatMap(([jwt_issuer_hash, one]) => outcomes.flatMap((result) => (one[result] === undefined ? [] : [{ labels: { result, jwt_issuer_hash, apiserver_id_hash }, value: one[result] / 1000 }]))))
  register(registry, `${name}_jwks_fetch_last_key_set_info`, 'Always 1; the label is the hash of the keys that the issuer answered with last.', 'gauge', () =>
    [...issuers].flatMap(([jwt_issuer_hash, { hash }]) => (hash === undefined ? [] : [{ labels: { jwt_issuer_hash, apiserver_id_hash, hash }, value: 1 }])))
  return {
    checked: (issuer, holds, seconds) => took([holds ? 'success' : 'failure', hashOf(issuer)])(seconds),
    fetched(issuer, keys) {
      const key = hashOf(issuer)
      const before = issuers.get(key) ?? {}
      issuers.set(key, keys === undefined ? { ...before, failure: clock.now() } : { ...before, success: clock.now(), hash: hashOf(keys) })
    },
    forget: (issuer) => void issuers.delete(hashOf(issuer)),
  }
}
