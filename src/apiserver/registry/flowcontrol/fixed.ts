/** The objects of flow control that nobody changes, as the registry has them. */
import type { Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { applyDefaults } from '../../../machinery/defaults.ts'
import { decodeObject } from '../../../machinery/json.ts'

const specs = new WeakMap<object, unknown>()

/** The spec of a mandatory object with all its defaults. */
export function complete<T extends ApiObject, I>({ type, kind, apiVersion }: Resource<T, I>, wanted: { readonly name: string; readonly spec: object }): unknown {
  if (!specs.has(wanted)) {
    const { object } = decodeObject(type as unknown as Parameters<typeof decodeObject<ApiObject>>[0], { kind, apiVersion, metadata: { name: wanted.name }, spec: wanted.spec })
    specs.set(wanted, (applyDefaults(type as never, object) as unknown as { readonly spec: unknown }).spec)
  }
  return specs.get(wanted)
}
