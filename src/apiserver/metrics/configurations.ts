/** Metrics of what is configured by files and read again while the server runs, and of encryption: numbers that others count, under Kubernetes's names. */
import type { Registry } from 'prom-client'
import type { ReloadCounts } from '../../machinery/reloads.ts'
import { hashOf } from '../../machinery/reloads.ts'
import { serviceBounds, transformationBounds, type EncryptionTally, type TransformationTally } from '../../store/encryption/tally.ts'
import { histogramOf, register } from './series.ts'

/** Registers something with the metrics of a server. */
export type RegisterMetrics = (registry: Registry) => void

/** Of a configuration: `encryption_config_controller` and the like. `server` names the server, whose hash is a label. */
export const reloadMetrics = (controller: string, server: string, counts: () => ReloadCounts | undefined): RegisterMetrics => (registry) => {
  const apiserver_id_hash = hashOf(server)
  const name = `apiserver_${controller}`
  register(registry, `${name}_automatic_reloads_total`, 'How often the configuration was read again, by what came of it.', 'counter', () => {
    const now = counts()
    return now ? (['success', 'failure'] as const).filter((status) => now[status] > 0).map((status) => ({ labels: { status, apiserver_id_hash }, value: now[status] })) : []
  })
  register(registry, `${name}_automatic_reload_last_timestamp_seconds`, 'When the configuration was read again last, by what came of it.', 'gauge', () => {
    const { lastSuccess, lastFailure } = counts() ?? {}
    return ([['success', lastSuccess], ['failure', lastFailure]] as const).flatMap(([status, at]) => (at === undefined ? [] : [{ labels: { status, apiserver_id_hash }, value: at / 1000 }]))
  })
  register(registry, `${name}_last_config_info`, 'Always 1; the label is the hash of the configuration that holds.', 'gauge', () => {
    const now = counts()
    return now ? [{ labels: { apiserver_id_hash, hash: now.hash }, value: 1 }] : []
  })
}

/** Paths of one direction and prefix together: durations are not told apart by resource. */
function byPrefix(transformations: readonly TransformationTally[]): readonly TransformationTally[] {
  const all = new Map<string, TransformationTally>()
  for (const one of transformations) {
    const key = `${one.direction} ${one.prefix}`
    const known = all.get(key)
    all.set(key, known ? { ...known, buckets: known.buckets.map((count, i) => count + one.buckets[i]!), seconds: known.seconds + one.seconds } : one)
  }
  return [...all.values()]
}

/** Of values that are encrypted at rest, and of key management services. */
export const encryptionMetrics = (tally: EncryptionTally, server: string): RegisterMetrics => (registry) => {
  const apiserver_id_hash = hashOf(server)
  const duration = 'apiserver_storage_transformation_duration_seconds'
  register(registry, duration, 'How long values took to encrypt or decrypt, in seconds.', 'histogram', () => byPrefix(tally.read().transformations).flatMap(({ direction, prefix, buckets, seconds }) =>
    [...histogramOf(duration, transformationBounds, { transformation_type: direction, transformer_prefix: prefix }, { buckets: [...buckets], sum: seconds })]))
  register(registry, 'apiserver_storage_transformation_operations_total', 'Values that were encrypted or decrypted, by what came of it.', 'counter', () => {
    // Several keys of one provider share a prefix.
    const totals = new Map<string, { labels: Record<string, string>; value: number }>()
    for (const { resource, direction, prefix, statuses } of tally.read().transformations) {
      for (const [status, count] of statuses) {
        const key = `${resource} ${direction} ${prefix} ${status}`
        const total = totals.get(key) ?? { labels: { resource, transformation_type: direction, transformer_prefix: prefix, status }, value: 0 }
        total.value += count
        totals.set(key, total)
      }
    }
    return [...totals.values()]
  })
  register(registry, 'apiserver_storage_envelope_transformation_cache_misses_total', 'Seeds that had to be decrypted by a key management service.', 'counter', () => [{ labels: {}, value: tally.read().misses }])
  const latency = 'apiserver_envelope_encryption_kms_operations_latency_seconds'
  register(registry, latency, 'How long calls of key management services took, in seconds, by what they answered.', 'histogram', () => tally.read().calls.flatMap(({ provider, method, status, buckets, seconds }) =>
    [...histogramOf(latency, serviceBounds, { provider_name: provider, method_name: method, grpc_status_code: status }, { buckets: [...buckets], sum: seconds })]))
  const keys = (...directions: readonly string[]) => tally.read().keys.filter(({ direction }) => directions.includes(direction))
  const labelsOf = ({ provider, keyId, direction }: ReturnType<typeof keys>[number]) => ({ transformation_type: direction, provider_name: provider, key_id_hash: hashOf(keyId), apiserver_id_hash })
  register(registry, 'apiserver_envelope_encryption_key_id_hash_total', 'How often a key of a key management service was used.', 'counter', () => keys('to_storage', 'from_storage').map((key) => ({ labels: labelsOf(key), value: key.count })))
  register(registry, 'apiserver_envelope_encryption_key_id_hash_last_timestamp_seconds', 'When it was used last.', 'gauge', () => keys('to_storage', 'from_storage').map((key) => ({ labels: labelsOf(key), value: key.last / 1000 })))
  register(registry, 'apiserver_envelope_encryption_key_id_hash_status_last_timestamp_seconds', 'When the service named it last as its key.', 'gauge', () =>
    keys('status').map(({ provider, keyId, last }) => ({ labels: { provider_name: provider, key_id_hash: hashOf(keyId), apiserver_id_hash }, value: last / 1000 })))
}
