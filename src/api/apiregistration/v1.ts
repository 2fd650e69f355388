import { bool, bytes, fill, int32, mapList, opt, req, root, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const ServiceReference = struct('ServiceReference', {
  namespace: zero(1, string, 'Of the service.'),
  name: zero(2, string, 'Of the service.'),
  port: opt(3, int32, 'The port of the service; 443 when left out.'),
})
export interface ServiceReference extends Of<typeof ServiceReference> {}

export const APIServiceSpec = struct('APIServiceSpec', {
  service: opt(1, ServiceReference, 'The service of the server; none for this one.'),
  group: zero(2, string, 'The API group.'),
  version: zero(3, string, 'The version.'),
  insecureSkipTLSVerify: zero(4, bool, 'Do not check its certificate.'),
  caBundle: zero(5, bytes, 'Certificates to check its own with.'),
  groupPriorityMinimum: req(7, int32, 'How far ahead the group stands among groups.'),
  versionPriority: req(8, int32, 'How far ahead the version stands in its group.'),
}, 'Where a group version is served.')
export interface APIServiceSpec extends Of<typeof APIServiceSpec> {}

export const APIServiceCondition = struct('APIServiceCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface APIServiceCondition extends Of<typeof APIServiceCondition> {}

export const APIServiceStatus = struct('APIServiceStatus', {
  conditions: zero(1, mapList(APIServiceCondition, ['type']), { doc: 'What is true of it at the moment, by type.', patch: 'merge', key: 'type' }),
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
