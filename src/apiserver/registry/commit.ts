/** The last step of every write: one compare-and-swap in the store, answered when the cache shows it. */
import type { StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { decodeObject } from '../../machinery/json.ts'
import type { Commit, Transaction, Write } from '../../store/store.ts'
import { Encoded } from '../cache/encoded.ts'
import { storedBytes, withResourceVersion } from './meta.ts'
import type { Call, RegistryEnvironment } from './call.ts'

/** Objects that expire together share a lease for this long. */
const leaseSharing = 60_000
interface SharedLease { readonly id: number; readonly until: number }
const leases = new WeakMap<RegistryEnvironment, Map<number, Promise<SharedLease>>>()

async function leaseFor(env: RegistryEnvironment, ttl: number): Promise<number> {
  let byTtl = leases.get(env)
  if (!byTtl) leases.set(env, (byTtl = new Map()))
  const current = await byTtl.get(ttl)
  const now = env.clock.now()
  if (current && current.until > now) return current.id
  const next = env.store.grantLease(ttl + leaseSharing / 1000).then((id) => ({ id, until: now + leaseSharing }))
  byTtl.set(ttl, next)
  next.catch(() => byTtl.delete(ttl))
  return (await next).id
}

/** Counted for as long as it waits for the disk. */
async function commit({ store, commits }: RegistryEnvironment, transaction: Transaction): Promise<Commit> {
  commits.began()
  try {
    return await store.commit(transaction)
  } finally {
    commits.ended()
  }
}

/**
 * Writes the object if the key is still at the revision of `before` (undefined: if there is none). Undefined when somebody else was
 * faster; the cache then shows their write.
 */
export async function put(env: RegistryEnvironment, call: Call, key: string, complete: ApiObject, before: Encoded | undefined): Promise<Encoded | undefined> {
  // Strategies and admission add fields where they come to them; what is kept is in the order of the schema.
  const { custom } = call.served
  const { object: normal } = decodeObject(call.served.storage.type as StructType<ApiObject>, complete, custom ? undefined : before?.object)
  const object = custom ? await custom.toStored(normal) : normal
  const bytes = storedBytes(object)
  const { ttl } = call.served.rule
  const write: Write = ttl ? { op: 'put', key, value: bytes, lease: await leaseFor(env, ttl) } : { op: 'put', key, value: bytes }
  const forget = env.cache.expect(key, bytes, object)
  try {
    const { committed, revision } = await commit(env, { conditions: [{ key, modRevision: before?.revision ?? 0 }], writes: [write] })
    await env.cache.reached(revision)
    if (!committed) return undefined
    const shown = call.served.cache.byKey(key)
    const item = shown?.revision === revision ? shown : new Encoded(key, revision, withResourceVersion(object, String(revision)), bytes)
    if (custom?.ready) await custom.ready([item])
    return item
  } finally {
    forget()
  }
}

/** Deletes what the cache shows as `item`, which readers see as `object`. Returns it with the revision of its deletion, or undefined when it has changed. */
export async function remove(env: RegistryEnvironment, item: Encoded, object: ApiObject): Promise<Encoded | undefined> {
  const { committed, revision } = await commit(env, { conditions: [{ key: item.key, modRevision: item.revision }], writes: [{ op: 'delete', key: item.key }] })
  await env.cache.reached(revision)
  return committed ? new Encoded(item.key, revision, withResourceVersion(object, String(revision))) : undefined
}
