import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { createReloads, hashOf } from '../../machinery/reloads.ts'
import { createTally } from '../../store/encryption/tally.ts'
import { encryptionMetrics, reloadMetrics } from './configurations.ts'

it('tell how often a configuration was read again, when, and which one holds', async () => {
  const registry = new Registry()
  const clock = new FakeClock(1_000_000)
  const reloads = createReloads(clock, 'first')
  reloadMetrics('encryption_config_controller', 'one', reloads.counts)(registry)
  const server = `apiserver_id_hash="${hashOf('one')}"`
  expect(await registry.metrics()).toContain(`apiserver_encryption_config_controller_last_config_info{${server},hash="${hashOf('first')}"} 1`)
  await clock.advance(1000)
  reloads.succeeded('second')
  reloads.failed()
  reloads.failed()
  const text = await registry.metrics()
  for (const line of [
    `apiserver_encryption_config_controller_automatic_reloads_total{status="success",${server}} 1`, `apiserver_encryption_config_controller_automatic_reloads_total{status="failure",${server}} 2`,
    `apiserver_encryption_config_controller_automatic_reload_last_timestamp_seconds{status="success",${server}} 1001`, `apiserver_encryption_config_controller_last_config_info{${server},hash="${hashOf('second')}"} 1`,
  ]) expect(text).toContain(line)
})

it('tell what was encrypted and decrypted by what, and what key management services answered, without the names of keys', async () => {
  const registry = new Registry()
  const tally = createTally()
  encryptionMetrics(tally, 'one')(registry)
  const [first, second] = [Buffer.from('k8s:enc:aesgcm:v1:k1:'), Buffer.from('k8s:enc:aesgcm:v1:k2:')]
  for (const prefix of [first, second, second]) tally.transformed('secrets', 'to_storage', prefix, performance.now())
  tally.transformed('secrets', 'from_storage', first, performance.now(), new Error('broken'))
  tally.called('vault', '/v2.KeyManagementService/Encrypt', performance.now())
  tally.called('vault', '/v2.KeyManagementService/Encrypt', performance.now(), Object.assign(new Error('no'), { grpcCode: 7 }))
  tally.used('vault', 'key-1', 'to_storage', 5000)
  tally.used('vault', 'key-1', 'to_storage', 7000)
  tally.used('vault', 'key-1', 'status', 7000)
  tally.missed()
  const text = await registry.metrics()
  const labels = `provider_name="vault",key_id_hash="${hashOf('key-1')}",apiserver_id_hash="${hashOf('one')}"`
  for (const line of [
    'apiserver_storage_transformation_operations_total{resource="secrets",transformation_type="to_storage",transformer_prefix="k8s:enc:aesgcm:v1:",status="OK"} 3',
    'apiserver_storage_transformation_operations_total{resource="secrets",transformation_type="from_storage",transformer_prefix="k8s:enc:aesgcm:v1:",status="unknown-non-grpc"} 1',
    'apiserver_storage_transformation_duration_seconds_count{transformation_type="to_storage",transformer_prefix="k8s:enc:aesgcm:v1:"} 3', 'apiserver_storage_envelope_transformation_cache_misses_total 1',
    'apiserver_envelope_encryption_kms_operations_latency_seconds_count{provider_name="vault",method_name="/v2.KeyManagementService/Encrypt",grpc_status_code="PermissionDenied"} 1',
    `apiserver_envelope_encryption_key_id_hash_total{transformation_type="to_storage",${labels}} 2`, `apiserver_envelope_encryption_key_id_hash_last_timestamp_seconds{transformation_type="to_storage",${labels}} 7`,
    `apiserver_envelope_encryption_key_id_hash_status_last_timestamp_seconds{${labels}} 7`,
  ]) expect(text).toContain(line)
  expect(text).not.toContain('key-1')
})
