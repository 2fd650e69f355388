/** What expressions see of a request: the variable `request`, and the namespace it is in. */
import type { core, Resource } from '../../../api/index.ts'
import type { CelObjectType } from '../../../machinery/cel/index.ts'
import type { AdmissionAttributes } from '../admission.ts'
import type { Cel } from './cel.ts'

/** `admission.v1.AdmissionRequest` without the objects. `matched` is the resource that a rule named: another version of the requested one, maybe. */
export function requestValue(a: AdmissionAttributes, matched: Resource): Readonly<Record<string, unknown>> {
  const requested = a.requested ?? a.resource
  const { name, uid, groups, extra } = a.context.user
  const kind = (r: Resource) => a.subresource && a.object ? kindOf(a.object.apiVersion, a.object.kind) : { group: r.group, version: r.version, kind: r.kind }
  const resource = (r: Resource) => ({ group: r.group, version: r.version, resource: r.plural })
  return {
    kind: kind(matched), resource: resource(matched), requestKind: kind(requested), requestResource: resource(requested),
    ...(a.subresource ? { subResource: a.subresource, requestSubResource: a.subresource } : {}),
    ...(a.name ? { name: a.name } : {}),
    ...(a.namespace ? { namespace: a.namespace } : {}),
    operation: a.operation,
    userInfo: { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) },
    dryRun: a.context.dryRun,
    options: a.options,
  }
}

const kindOf = (apiVersion: string, kind: string) => {
  const [version = '', group = ''] = apiVersion.split('/').toReversed()
  return { group, version, kind }
}

/** What expressions may see of a namespace. */
export const namespaceValue = (namespace: core.Namespace | undefined): object | null => {
  if (!namespace) return null
  const { managedFields: _, ownerReferences: __, selfLink: ___, ...metadata } = namespace.metadata
  return { metadata, spec: namespace.spec, status: namespace.status }
}

export interface RequestTypes { readonly request: CelObjectType; readonly namespace: CelObjectType }

let types: RequestTypes | undefined

/** The CEL types of `request` and `namespaceObject`, made once. */
export const requestTypes = (cel: Cel): RequestTypes => (types ??= makeTypes(cel))

function makeTypes({ objectOf, listOf, mapOf, STRING, BOOL, DYN, INT, TIMESTAMP }: Cel): RequestTypes {
  const kind = objectOf('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
  const resource = objectOf('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
  const user = objectOf('kubernetes.UserInfo', { username: STRING, uid: STRING, groups: listOf(STRING), extra: mapOf(listOf(STRING)) })
  const metadata = objectOf('kubernetes.NamespaceMetadata', {
    name: STRING, generateName: STRING, namespace: STRING, labels: mapOf(STRING), annotations: mapOf(STRING), UID: STRING,
    creationTimestamp: TIMESTAMP, deletionTimestamp: TIMESTAMP, deletionGracePeriodSeconds: INT, generation: INT, resourceVersion: STRING, finalizers: listOf(STRING),
  }, { verbatim: true })
  return {
    request: objectOf('kubernetes.AdmissionRequest', {
      kind, resource, subResource: STRING, requestKind: kind, requestResource: resource, requestSubResource: STRING,
      name: STRING, namespace: STRING, operation: STRING, userInfo: user, dryRun: BOOL, options: DYN,
    }, { verbatim: true }),
    namespace: objectOf('kubernetes.Namespace', {
      metadata,
      spec: objectOf('kubernetes.NamespaceSpec', { finalizers: listOf(STRING) }),
      status: objectOf('kubernetes.NamespaceStatus', { phase: STRING, conditions: DYN }),
    }),
  }
}
