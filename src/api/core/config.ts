import { bool, bytes, fill, list, map, mapList, opt, root, string, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { LocalObjectReference, ObjectReference } from './shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ConfigMap = root('ConfigMap', {
  metadata: fill(1, ObjectMeta),
  immutable: opt(4, bool),
  data: zero(2, map(string)),
  binaryData: zero(3, map(bytes)),
})
export interface ConfigMap extends Of<typeof ConfigMap> {}

export const Secret = root('Secret', {
  metadata: fill(1, ObjectMeta),
  immutable: opt(5, bool),
  data: zero(2, map(bytes)),
  stringData: zero(4, map(string)),
  type: zero(3, string),
})
export interface Secret extends Of<typeof Secret> {}

export const ServiceAccount = root('ServiceAccount', {
  metadata: fill(1, ObjectMeta),
  secrets: zero(2, mapList(ObjectReference, ['name']), { patch: 'merge', key: 'name' }),
  imagePullSecrets: zero(3, list(LocalObjectReference)),
  automountServiceAccountToken: opt(4, bool),
})
export interface ServiceAccount extends Of<typeof ServiceAccount> {}

const gv = groupVersion('', 'v1')

export const configmaps = gv.resource(ConfigMap, { plural: 'configmaps', short: ['cm'], namespaced: true })
export const secrets = gv.resource(Secret, { plural: 'secrets', namespaced: true })
export const serviceaccounts = gv.resource(ServiceAccount, { plural: 'serviceaccounts', short: ['sa'], namespaced: true, subresources: ['token'] })
