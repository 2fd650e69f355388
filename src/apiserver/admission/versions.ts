/** A request's objects in the version that a rule names. */
import type { Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { withMeta } from '../registry/meta.ts'
import type { AdmissionAttributes, OtherVersion } from './admission.ts'

const same: Omit<OtherVersion, 'resource'> = { to: (object) => object, from: (object) => object }

/** The way to a resource and back; what is sent to a subresource is no object of the resource, and stays as it is. */
export function versionOf(a: AdmissionAttributes, resource: Resource): Omit<OtherVersion, 'resource'> {
  if (resource === a.resource) return same
  const found = a.others?.().find((other) => other.resource === resource)
  if (!found) return same
  const convertible = (object: ApiObject): boolean => object.kind === a.resource.kind || object.kind === resource.kind
  return {
    to: (object) => (convertible(object) ? found.to(object) : object),
    from: (object) => (convertible(object) ? found.from(object) : object),
  }
}

/** The attributes with their objects in the version of `resource`; the same ones when that is the version they are in. */
export async function shownAs(a: AdmissionAttributes, resource: Resource): Promise<AdmissionAttributes> {
  if (resource === a.resource) return a
  const { to } = versionOf(a, resource)
  return { ...a, object: a.object && (await to(a.object)), old: a.old && (await to(a.old)) }
}

/** The object as others are shown it: a patch is of the revision that is stored, although what is to be stored has none yet. */
export function seenObject({ object, old, operation, context }: AdmissionAttributes): ApiObject | undefined {
  if (!object || operation !== 'UPDATE' || context.verb !== 'patch' || !old || object.kind !== old.kind || object.metadata.resourceVersion) return object
  return withMeta(object, { resourceVersion: old.metadata.resourceVersion })
}
