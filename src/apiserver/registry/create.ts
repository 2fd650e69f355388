/** Create: default → admit → prepare → validate → allocate → admit → store. */
import { ApiError, alreadyExists, badRequest, isApiError } from '../../machinery/errors.ts'
import { found, type FieldError } from '../../machinery/field.ts'
import { generatedName, uid } from '../../machinery/meta.ts'
import { dns1123Subdomain, validateObjectMeta } from '../../machinery/names.ts'
import { rfc3339 } from '../../machinery/time.ts'
import type { ApiObject } from '../../client/client.ts'
import { Encoded } from '../cache/encoded.ts'
import { pathOf } from '../cache/keys.ts'
import { attributes, checkAborted, checkAdmitted, refuse, type Call, type RegistryEnvironment } from './call.ts'
import { put } from './commit.ts'
import { trackCreate } from './managed.ts'
import { withMeta } from './meta.ts'

const nameAttempts = 8

export interface CreateOptions {
  /** The object comes with its managed fields: it was made by an apply. */
  readonly managed?: boolean
}

/**
 * Creates the object (decoded, in the version that was called for) and resolves with what is stored, in the stored version. Throws `ApiError`
 * 400 (wrong namespace or name), 403 (admission), 409 (exists), 422 (invalid).
 */
export async function create(env: RegistryEnvironment, call: Call, body: ApiObject, { managed = false }: CreateOptions = {}): Promise<Encoded> {
  const { served } = call
  const refusal = served.custom?.refusal('create', body.metadata.name ?? '')
  if (refusal) throw refusal
  // What is no version says nothing; and it is the store that minds, to which what is only tried does not come.
  if (!call.dryRun && /^0*[1-9]\d*$/.test(body.metadata.resourceVersion ?? '')) throw badRequest('resourceVersion should not be set on objects to be created')
  // Nothing is being deleted at its birth, whoever says so.
  const born = body.metadata.deletionGracePeriodSeconds === undefined && body.metadata.deletionTimestamp === undefined ? body : withMeta(body, { deletionTimestamp: undefined, deletionGracePeriodSeconds: undefined })
  const completed = served.complete(placed(call, born))
  const tracked = managed ? completed : trackCreate(call, completed)
  const answer = env.admission.mutate(attributes(call, 'CREATE', tracked, undefined))
  const admitted = (answer instanceof Promise ? await answer : answer) ?? tracked
  checkAdmitted(tracked, admitted)
  const loading = served.strategy.ready?.(admitted)
  if (loading) await loading
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptCreate(env, call, prepared(call, admitted))
    } catch (error) {
      const again = isApiError(error) && error.reason === 'AlreadyExists' && !admitted.metadata.name && attempt < nameAttempts
      if (!again) throw error
    }
  }
}

/** The object in the namespace and under the name that the URL says. Throws `ApiError` 400 when it claims to be elsewhere. */
export function placed(call: Call, object: ApiObject): ApiObject {
  const { namespace = '', name = '' } = object.metadata
  const wanted = call.served.resource.namespaced ? call.namespace : ''
  if (wanted && namespace && namespace !== wanted) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (call.name && name && name !== call.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`)
  }
  const rename = call.name && !name
  if (namespace === wanted && !rename) return object
  return withMeta(object, { namespace: wanted || undefined, ...(rename ? { name: call.name } : {}) })
}

/** What the system says of a new object: identity, birth, a name; and what the strategy makes of it. */
function prepared(call: Call, object: ApiObject): ApiObject {
  const { strategy, counted } = call.served
  const { name, generateName } = object.metadata
  // Before the strategy prepares it: a job's selector is made of its uid, a namespace's label of its name.
  const fresh = withMeta(object, {
    name: name || (generateName ? generatedName(generateName) : undefined),
    uid: uid(),
    creationTimestamp: rfc3339(call.now),
    deletionTimestamp: undefined, deletionGracePeriodSeconds: undefined, selfLink: undefined, generation: counted ? 1 : object.metadata.generation,
    resourceVersion: undefined,
  })
  return strategy.prepareForCreate ? strategy.prepareForCreate(fresh, call) : fresh
}

function validated(call: Call, object: ApiObject, consulted: readonly FieldError[]): void {
  const { strategy, resource } = call.served
  const errors = found((root) => {
    for (const error of consulted) root.say(error)
    validateObjectMeta(object.metadata, root.at('metadata'), { namespaced: resource.namespaced, nameRule: strategy.validateName?.bind(strategy) ?? dns1123Subdomain, ...(strategy.anyFinalizers && { anyFinalizers: true }) })
    strategy.validate?.(object, root, call)
  })
  refuse(call, object.metadata.name ?? '', errors)
  for (const text of strategy.warnings?.(object) ?? []) call.warn(text)
}

async function attemptCreate(env: RegistryEnvironment, call: Call, object: ApiObject): Promise<Encoded> {
  const { served } = call
  const consulted = served.strategy.consult?.(object, undefined, call)
  validated(call, object, consulted ? await consulted : [])
  const allocation = served.strategy.allocation && await served.strategy.allocation.allocate(object, undefined, call)
  const complete = allocation?.object ?? object
  try {
    const asked = env.admission.validate(attributes(call, 'CREATE', complete, undefined))
    if (asked) await asked
    checkAborted(call)
    const { namespace = '', name = '' } = complete.metadata
    const key = served.cache.prefix + pathOf(namespace, name)
    if (served.cache.byKey(key)) throw existsAlready(call, key, name)
    const stored = call.dryRun ? new Encoded(key, 0, complete) : await put(env, call, key, complete, undefined)
    if (!stored) throw existsAlready(call, key, name)
    if (allocation && call.dryRun) await allocation.rollback()
    return stored
  } catch (error) {
    await allocation?.rollback()
    throw error
  }
}

/** 409, which says so when the object that has the name is on its way out. */
function existsAlready({ served }: Call, key: string, name: string): ApiError {
  const exists = alreadyExists(served.storage, name)
  const leaving = served.cache.byKey(key)?.object.metadata.deletionTimestamp
  return leaving ? new ApiError(409, 'AlreadyExists', `object is being deleted: ${exists.message}`, exists.status.details) : exists
}
