import { bool, bytes, fill, int32, mapList, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ServiceReference = struct('ServiceReference', {
  namespace: zero(1, string),
  name: zero(2, string),
  port: opt(3, int32),
})
export interface ServiceReference extends Of<typeof ServiceReference> {}

export const APIServiceSpec = struct('APIServiceSpec', {
  service: opt(1, ServiceReference),
  group: zero(2, string),
  version: zero(3, string),
  insecureSkipTLSVerify: zero(4, bool),
  caBundle: zero(5, bytes),
  groupPriorityMinimum: req(7, int32),
  versionPriority: req(8, int32),
})
export interface APIServiceSpec extends Of<typeof APIServiceSpec> {}

export const APIServiceCondition = struct('APIServiceCondition', {
  type: req(1, string),
  status: req(2, string),
  lastTransitionTime: fill(3, time),
  reason: zero(4, string),
  message: zero(5, string),
})
export interface APIServiceCondition extends Of<typeof APIServiceCondition> {}

export const APIServiceStatus = struct('APIServiceStatus', {
  conditions: zero(1, mapList(APIServiceCondition, ['type']), { patch: 'merge', key: 'type' }),
})
export interface APIServiceStatus extends Of<typeof APIServiceStatus> {}

export const APIService = root('APIService', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like; the name is <version>.<group>.'),
  spec: fill(2, APIServiceSpec, 'Where it is.'),
  status: fill(3, APIServiceStatus, 'Whether it can be reached.'),
}, 'Which server serves a group version.')
export interface APIService extends Of<typeof APIService> {}

const gv = groupVersion('apiregistration.k8s.io', 'v1')

export const apiservices = gv.resource(APIService, { plural: 'apiservices', categories: ['api-extensions'], subresources: ['status'] })
