/** What a policy or a webhook made of an object: decoded and completed like anything that comes from outside. */
import type { Resource, StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { decodeObject } from '../../machinery/json.ts'
import type { ServerEnvironment } from '../options.ts'
import type { AdmissionAttributes } from './admission.ts'
import { versionOf } from './versions.ts'

/** `changed` is in the version of `matched`; what comes back is in the one that admission works in. Throws `ApiError` for what is no such object. */
export async function patched(env: Pick<ServerEnvironment, 'complete'>, a: AdmissionAttributes, matched: Resource, changed: unknown): Promise<ApiObject> {
  const decode = (type: unknown): ApiObject => decodeObject(type as StructType<ApiObject>, changed).object
  if (a.type) return decode(a.type)
  return env.complete(a.resource, await versionOf(a, matched).from(decode(matched.type)))
}
