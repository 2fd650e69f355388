/** The names of definitions, as Kubernetes publishes them: `io.k8s.api.core.v1.Pod`. */
import * as api from '../../api/index.ts'
import type { Resource, ScalarName, StructType } from '../../api/index.ts'
import { publishedKind } from '../crd/schema/openapi.ts'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

interface Package { readonly prefix: string; readonly group: string; readonly version: string }
const builtIn = (folder: string, group: string, version = 'v1'): Package => ({ prefix: `io.k8s.api.${folder}.${version}`, group, version })

/** Where the types of each module of `api/` belong. */
const packages: Readonly<Record<string, Package>> = {
  meta: { prefix: meta, group: '', version: 'v1' },
  core: builtIn('core', ''),
  admission: builtIn('admission', 'admission.k8s.io'),
  admissionregistration: builtIn('admissionregistration', 'admissionregistration.k8s.io'),
  apidiscovery: builtIn('apidiscovery', 'apidiscovery.k8s.io', 'v2'),
  apiextensions: { prefix: apiextensions, group: 'apiextensions.k8s.io', version: 'v1' },
  apiregistration: { prefix: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1', group: 'apiregistration.k8s.io', version: 'v1' },
  apps: builtIn('apps', 'apps'),
  authentication: builtIn('authentication', 'authentication.k8s.io'),
  authorization: builtIn('authorization', 'authorization.k8s.io'),
  autoscalingV1: builtIn('autoscaling', 'autoscaling'),
  autoscaling: builtIn('autoscaling', 'autoscaling', 'v2'),
  batch: builtIn('batch', 'batch'),
  certificates: builtIn('certificates', 'certificates.k8s.io'),
  coordination: builtIn('coordination', 'coordination.k8s.io'),
  discovery: builtIn('discovery', 'discovery.k8s.io'),
  events: builtIn('events', 'events.k8s.io'),
  flowcontrol: builtIn('flowcontrol', 'flowcontrol.apiserver.k8s.io'),
  metrics: { prefix: 'io.k8s.metrics.pkg.apis.metrics.v1beta1', group: 'metrics.k8s.io', version: 'v1beta1' },
  networking: builtIn('networking', 'networking.k8s.io'),
  node: builtIn('node', 'node.k8s.io'),
  policy: builtIn('policy', 'policy'),
  rbac: builtIn('rbac', 'rbac.authorization.k8s.io'),
  dra: builtIn('resource', 'resource.k8s.io'),
  scheduling: builtIn('scheduling', 'scheduling.k8s.io'),
  storage: builtIn('storage', 'storage.k8s.io'),
  customMetrics: { prefix: 'io.k8s.metrics.pkg.apis.custom_metrics.v1beta2', group: 'custom.metrics.k8s.io', version: 'v1beta2' },
  externalMetrics: { prefix: 'io.k8s.metrics.pkg.apis.external_metrics.v1beta1', group: 'external.metrics.k8s.io', version: 'v1beta1' },
}

/** Definition names of the types that have no fields. The others (string, int32 …) are written in place. */
export const scalarDefinitions: Partial<Readonly<Record<ScalarName, string>>> = {
  time: `${meta}.Time`,
  microTime: `${meta}.MicroTime`,
  duration: `${meta}.Duration`,
  fieldsV1: `${meta}.FieldsV1`,
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  rawExtension: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  json: `${apiextensions}.JSON`,
  schemaOrBool: `${apiextensions}.JSONSchemaPropsOrBool`,
  schemaOrArray: `${apiextensions}.JSONSchemaPropsOrArray`,
  schemaOrStringArray: `${apiextensions}.JSONSchemaPropsOrStringArray`,
}

interface Named { readonly name: string; readonly group: string; readonly version: string }

let table: Map<StructType, Named> | undefined

function named(): Map<StructType, Named> {
  if (table) return table
  table = new Map()
  const modules = api as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>
  for (const [module, { prefix, group, version }] of Object.entries(packages)) {
    for (const value of Object.values(modules[module] ?? {})) {
      const type = value as StructType | null
      if (typeof type === 'object' && type?.form === 'struct' && !table.has(type)) table.set(type, { name: `${prefix}.${type.name}`, group, version })
    }
  }
  return table
}

/** The definition name of a type with fields. Types of no module (custom resources) are named by the resource's group, reversed. */
export function definitionName(type: StructType, resource?: Resource): string {
  const known = named().get(type)
  if (known) return known.name
  const custom = resource ?? publishedKind(type)
  return custom ? `${custom.group.split('.').toReversed().join('.')}.${custom.version}.${type.name}` : `io.skiff.${type.name}`
}

/** The kind under which a root type is known to clients. */
export function kindOf(type: StructType): { readonly group: string; readonly version: string; readonly kind: string } | undefined {
  const known = named().get(type)
  return known && type.root ? { group: known.group, version: known.version, kind: type.name } : undefined
}
