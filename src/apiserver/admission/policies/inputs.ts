/** What both kinds of policies put before their expressions. */
import { core, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { Ask } from '../../../machinery/cel/index.ts'
import { notFound } from '../../../machinery/errors.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { Lister, ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { seenObject, shownAs } from '../versions.ts'
import { authorizerValues, createAsk } from './authorizer.ts'
import type { Cel } from './cel.ts'
import type { LabelsOf } from './matching.ts'
import { ConfigurationError } from './params.ts'
import { namespaceValue, requestValue } from './request.ts'

export interface Inputs {
  readonly labelsOf: LabelsOf
  ask(a: AdmissionAttributes): Ask
  /** The variables of all expressions but the policy's own. Throws `ApiError` 404 when the namespace is not there. */
  values(cel: Cel, a: AdmissionAttributes, matched: Resource, params: ApiObject | null, ask: Ask): Readonly<Record<string, unknown>>
}

/** Makes the variables of expressions from requests. */
export function createInputs(env: Pick<ServerEnvironment, 'lister'>, authorizer: Authorizer): Inputs {
  const namespaces: Lister<core.Namespace> = env.lister(core.namespaces)
  return {
    labelsOf: (name) => namespaces.get('', name)?.metadata.labels,
    ask: (a) => createAsk(authorizer, a.context.user),
    values: (cel, a, matched, params, ask) => ({
      object: seenObject(a) ?? null,
      oldObject: a.old ?? null,
      request: requestValue(a, matched),
      namespaceObject: namespaceValue(namespaceOf(namespaces, a)),
      params,
      ...authorizerValues(cel, ask, a),
    }),
  }
}

/** The request in the version that a policy names. Rejects with `ConfigurationError` when it cannot be converted. */
export const inVersion = (a: AdmissionAttributes, matched: Resource): Promise<AdmissionAttributes> =>
  shownAs(a, matched).catch((error: unknown) => { throw new ConfigurationError(`failed to convert object version: ${error instanceof Error ? error.message : String(error)}`) })

/** The namespace a request is in; a namespace itself is in none. */
function namespaceOf(namespaces: Lister<core.Namespace>, a: AdmissionAttributes): core.Namespace | undefined {
  if (a.namespace === '' || a.resource.groupResource === 'namespaces') return undefined
  const found = namespaces.get('', a.namespace)
  if (!found) throw notFound(core.namespaces, a.namespace)
  return found
}
