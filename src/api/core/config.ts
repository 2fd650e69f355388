import { bool, bytes, fill, list, map, mapList, opt, root, string, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { LocalObjectReference, ObjectReference } from './shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ConfigMap = root('ConfigMap', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  immutable: opt(4, bool, 'True to have it never change again.'),
  data: zero(2, map(string), 'Values that are text.'),
  binaryData: zero(3, map(bytes), 'Values that are bytes.'),
}, 'Settings, as keys and values.')
export interface ConfigMap extends Of<typeof ConfigMap> {}

export const Secret = root('Secret', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  immutable: opt(5, bool, 'True to have it never change again.'),
  data: zero(2, map(bytes), 'The values, in base64.'),
  stringData: zero(4, map(string), 'Values as text, for writing only: they end up in data.'),
  type: zero(3, string, 'What it is for: Opaque (the default), kubernetes.io/tls, kubernetes.io/dockerconfigjson and others.'),
}, 'Passwords, keys and the like, as keys and values.')
export interface Secret extends Of<typeof Secret> {}

export const ServiceAccount = root('ServiceAccount', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  secrets: zero(2, mapList(ObjectReference, ['name']), { doc: 'Secrets that pods of the account may use.', patch: 'merge', key: 'name' }),
  imagePullSecrets: zero(3, list(LocalObjectReference), 'Secrets to log in to image registries with, for all pods of the account.'),
  automountServiceAccountToken: opt(4, bool, 'Whether pods of the account get a token.'),
}, 'An identity for what runs in pods.')
export interface ServiceAccount extends Of<typeof ServiceAccount> {}

const gv = groupVersion('', 'v1')

export const configmaps = gv.resource(ConfigMap, { plural: 'configmaps', short: ['cm'], namespaced: true })
export const secrets = gv.resource(Secret, { plural: 'secrets', namespaced: true })
export const serviceaccounts = gv.resource(ServiceAccount, { plural: 'serviceaccounts', short: ['sa'], namespaced: true, subresources: ['token'] })
