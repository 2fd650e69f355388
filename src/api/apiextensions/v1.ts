import { lazy, type Json, bool, bytes, double, fill, int32, int64, json, list, map, mapList, oneOf, opt, rawExtension, req, root, string, struct, time, zero, type Of, type ScalarType, type StructType } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'
import { Status } from '../meta/status.ts'

export const ConversionRequest = struct('ConversionRequest', {
  uid: req(1, string, 'Names this one call; the answer repeats it.'),
  desiredAPIVersion: req(2, string, 'What to convert to.'),
  objects: req(3, list(rawExtension), 'What to convert.'),
})
export interface ConversionRequest extends Of<typeof ConversionRequest> {}

export const ConversionResponse = struct('ConversionResponse', {
  uid: req(1, string, 'That of the request.'),
  convertedObjects: req(2, list(rawExtension), 'The objects converted, in the same order.'),
  result: req(3, Status, 'Whether it went well, and if not why.'),
})
export interface ConversionResponse extends Of<typeof ConversionResponse> {}

export const ConversionReview = root('ConversionReview', {
  request: opt(1, ConversionRequest, 'What is asked.'),
  response: opt(2, ConversionResponse, 'The answer.'),
})
export interface ConversionReview extends Of<typeof ConversionReview> {}

export const CustomResourceColumnDefinition = struct('CustomResourceColumnDefinition', {
  name: req(1, string, 'Its heading.'),
  type: req(2, string, 'integer, number, string, boolean or date.'),
  format: zero(3, string, 'Its format.'),
  description: zero(4, string, 'What it says.'),
  priority: zero(5, int32, '0 is always shown, more only with -o wide.'),
  jsonPath: req(6, string, 'Where its value stands.'),
}, 'A column of kubectl get.')
export interface CustomResourceColumnDefinition extends Of<typeof CustomResourceColumnDefinition> {}

export const ServiceReference = struct('ServiceReference', {
  namespace: req(1, string, 'Of the service.'),
  name: req(2, string, 'Of the service.'),
  path: opt(3, string, 'The path to send to.'),
  port: opt(4, int32, 'The port of the service; 443 when left out.'),
})
export interface ServiceReference extends Of<typeof ServiceReference> {}

export const WebhookClientConfig = struct('WebhookClientConfig', {
  url: opt(3, string, 'Where it listens; https only. Either this or service.'),
  service: opt(1, ServiceReference, 'The service before it. Either this or url.'),
  caBundle: zero(2, bytes, "Certificates, PEM, that its own must be signed by; the system's when left out."),
})
export interface WebhookClientConfig extends Of<typeof WebhookClientConfig> {}

export const WebhookConversion = struct('WebhookConversion', {
  clientConfig: opt(2, WebhookClientConfig, 'Where it is reached.'),
  conversionReviewVersions: req(3, list(string), 'Versions of the question it understands.'),
}, 'A webhook that converts objects.')
export interface WebhookConversion extends Of<typeof WebhookConversion> {}

export const CustomResourceConversion = struct('CustomResourceConversion', {
  strategy: req(1, string, 'None to change only apiVersion, or Webhook.'),
  webhook: opt(2, WebhookConversion, 'The webhook.'),
}, 'How versions become each other.')
export interface CustomResourceConversion extends Of<typeof CustomResourceConversion> {}

export const CustomResourceDefinitionNames = struct('CustomResourceDefinitionNames', {
  plural: req(1, string, 'As in URLs.'),
  singular: zero(2, string, 'For the command line. Default: the kind in lower case.'),
  shortNames: zero(3, list(string), 'Short names for the command line.'),
  kind: req(4, string, 'As in objects.'),
  listKind: zero(5, string, 'As in lists. Default: the kind and List.'),
  categories: zero(6, list(string), 'Groups it belongs to, such as all.'),
}, 'What a custom kind is called.')
export interface CustomResourceDefinitionNames extends Of<typeof CustomResourceDefinitionNames> {}

export const CustomResourceSubresourceScale = struct('CustomResourceSubresourceScale', {
  specReplicasPath: req(1, string, 'The number that is wanted, such as .spec.replicas.'),
  statusReplicasPath: req(2, string, 'The number there is, such as .status.replicas.'),
  labelSelectorPath: opt(3, string, 'The selector of the pods, such as .status.selector.'),
}, 'Where the number of replicas stands.')
export interface CustomResourceSubresourceScale extends Of<typeof CustomResourceSubresourceScale> {}

export const CustomResourceSubresourceStatus = struct('CustomResourceSubresourceStatus', {})
export interface CustomResourceSubresourceStatus extends Of<typeof CustomResourceSubresourceStatus> {}

export const CustomResourceSubresources = struct('CustomResourceSubresources', {
  status: opt(1, CustomResourceSubresourceStatus, 'The status is written through /status only.'),
  scale: opt(2, CustomResourceSubresourceScale, 'Its number of replicas can be set through /scale.'),
}, 'Subresources of a custom kind.')
export interface CustomResourceSubresources extends Of<typeof CustomResourceSubresources> {}

export const ExternalDocumentation = struct('ExternalDocumentation', {
  description: zero(1, string, 'What is found there.'),
  url: zero(2, string, 'Where it is.'),
})
export interface ExternalDocumentation extends Of<typeof ExternalDocumentation> {}

export const FieldValueErrorReason = oneOf('FieldValueRequired', 'FieldValueDuplicate', 'FieldValueInvalid', 'FieldValueForbidden')
export type FieldValueErrorReason = Of<typeof FieldValueErrorReason>

export const ValidationRule = struct('ValidationRule', {
  rule: req(1, string, 'A CEL expression over self that must be true; one that names oldSelf is a rule about changes.'),
  message: zero(2, string, 'What to tell when it is not.'),
  messageExpression: zero(3, string, 'A CEL expression that makes the message; goes before message.'),
  reason: opt(4, FieldValueErrorReason, 'The reason that the client is told.'),
  fieldPath: zero(5, string, 'The field that is to blame, below this one.'),
  optionalOldSelf: opt(6, bool, { doc: 'oldSelf is an optional, so that the rule holds for creates too.', gate: 'CRDValidationRatcheting' }),
})
export interface ValidationRule extends Of<typeof ValidationRule> {}

/** The three unions of the schema language; their protobuf forms carry the schema in a message of its own. */
const schemaOrArray: ScalarType<JSONSchemaProps | readonly JSONSchemaProps[]> = { form: 'scalar', name: 'schemaOrArray' }
const schemaOrBool: ScalarType<JSONSchemaProps | boolean> = { form: 'scalar', name: 'schemaOrBool' }
const schemaOrStringArray: ScalarType<JSONSchemaProps | readonly string[]> = { form: 'scalar', name: 'schemaOrStringArray' }

export interface JSONSchemaProps {
  readonly id?: string | undefined
  readonly $schema?: string | undefined
  readonly $ref?: string | undefined
  readonly description?: string | undefined
  readonly type?: string | undefined
  readonly format?: string | undefined
  readonly title?: string | undefined
  readonly default?: Json | undefined
  readonly maximum?: number | undefined
  readonly exclusiveMaximum?: boolean | undefined
  readonly minimum?: number | undefined
  readonly exclusiveMinimum?: boolean | undefined
  readonly maxLength?: number | undefined
  readonly minLength?: number | undefined
  readonly pattern?: string | undefined
  readonly maxItems?: number | undefined
  readonly minItems?: number | undefined
  readonly uniqueItems?: boolean | undefined
  readonly multipleOf?: number | undefined
  readonly enum?: readonly Json[] | undefined
  readonly maxProperties?: number | undefined
  readonly minProperties?: number | undefined
  readonly required?: readonly string[] | undefined
  readonly items?: JSONSchemaProps | readonly JSONSchemaProps[] | undefined
  readonly allOf?: readonly JSONSchemaProps[] | undefined
  readonly oneOf?: readonly JSONSchemaProps[] | undefined
  readonly anyOf?: readonly JSONSchemaProps[] | undefined
  readonly not?: JSONSchemaProps | undefined
  readonly properties?: { readonly [key: string]: JSONSchemaProps } | undefined
  readonly additionalProperties?: JSONSchemaProps | boolean | undefined
  readonly patternProperties?: { readonly [key: string]: JSONSchemaProps } | undefined
  readonly dependencies?: { readonly [key: string]: (JSONSchemaProps | readonly string[]) } | undefined
  readonly additionalItems?: JSONSchemaProps | boolean | undefined
  readonly definitions?: { readonly [key: string]: JSONSchemaProps } | undefined
  readonly externalDocs?: ExternalDocumentation | undefined
  readonly example?: Json | undefined
  readonly nullable?: boolean | undefined
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean | undefined
  readonly 'x-kubernetes-embedded-resource'?: boolean | undefined
  readonly 'x-kubernetes-int-or-string'?: boolean | undefined
  readonly 'x-kubernetes-list-map-keys'?: readonly string[] | undefined
  readonly 'x-kubernetes-list-type'?: string | undefined
  readonly 'x-kubernetes-map-type'?: string | undefined
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[] | undefined
}
export const JSONSchemaProps: StructType<JSONSchemaProps, JSONSchemaProps> = struct('JSONSchemaProps', {
  id: zero(1, string, 'Has no effect.'),
  $schema: zero(2, string, 'Not allowed.'),
  $ref: opt(3, string, 'Not allowed.'),
  description: zero(4, string, 'For people.'),
  type: zero(5, string, 'object, array, string, integer, number or boolean.'),
  format: zero(6, string, 'What kind of text or number, such as date-time or int32.'),
  title: zero(7, string, 'For people.'),
  default: opt(8, json, 'Filled in where the field is left out.'),
  maximum: opt(9, double, 'The largest number.'),
  exclusiveMaximum: zero(10, bool, 'The maximum itself is too large.'),
  minimum: opt(11, double, 'The smallest number.'),
  exclusiveMinimum: zero(12, bool, 'The minimum itself is too small.'),
  maxLength: opt(13, int64, 'Of text, in characters.'),
  minLength: opt(14, int64, 'Of text, in characters.'),
  pattern: zero(15, string, 'A regular expression that the text must match.'),
  maxItems: opt(16, int64, 'Of a list.'),
  minItems: opt(17, int64, 'Of a list.'),
  uniqueItems: zero(18, bool, 'Cannot be true; a list type of set says the same.'),
  multipleOf: opt(19, double, 'The number is a multiple of this one.'),
  enum: zero(20, list(json), 'The values there are.'),
  maxProperties: opt(21, int64, 'Of an object.'),
  minProperties: opt(22, int64, 'Of an object.'),
  required: zero(23, list(string), 'Fields that must be there.'),
  items: opt(24, schemaOrArray, 'What a list has in it.'),
  allOf: zero(25, list(lazy<JSONSchemaProps>(() => JSONSchemaProps)), 'Must all hold.'),
  oneOf: zero(26, list(lazy<JSONSchemaProps>(() => JSONSchemaProps)), 'Exactly one must hold.'),
  anyOf: zero(27, list(lazy<JSONSchemaProps>(() => JSONSchemaProps)), 'At least one must hold.'),
  not: opt(28, lazy<JSONSchemaProps>(() => JSONSchemaProps), 'Must not hold.'),
  properties: zero(29, map(lazy<JSONSchemaProps>(() => JSONSchemaProps)), 'The fields there are.'),
  additionalProperties: opt(30, schemaOrBool, 'What fields beyond properties must be.'),
  patternProperties: zero(31, map(lazy<JSONSchemaProps>(() => JSONSchemaProps)), 'Not allowed.'),
  dependencies: zero(32, map(schemaOrStringArray), 'Not allowed.'),
  additionalItems: opt(33, schemaOrBool, 'Not allowed.'),
  definitions: zero(34, map(lazy<JSONSchemaProps>(() => JSONSchemaProps)), 'Not allowed.'),
  externalDocs: opt(35, ExternalDocumentation, 'Where more is said.'),
  example: opt(36, json, 'For people.'),
  nullable: zero(37, bool, 'The value may be null.'),
  'x-kubernetes-preserve-unknown-fields': opt(38, bool, 'Fields that the schema does not name are kept.'),
  'x-kubernetes-embedded-resource': zero(39, bool, 'The value is an object with apiVersion, kind and metadata of its own.'),
  'x-kubernetes-int-or-string': zero(40, bool, 'The value is a number or text.'),
  'x-kubernetes-list-map-keys': zero(41, list(string), 'The fields that tell the items of a list of type map apart.'),
  'x-kubernetes-list-type': opt(42, string, 'How apply merges a list: atomic, set or map.'),
  'x-kubernetes-map-type': opt(43, string, 'How apply merges an object: granular or atomic.'),
  'x-kubernetes-validations': zero(44, mapList(ValidationRule, ['rule']), { doc: 'Rules in CEL.', patch: 'merge', key: 'rule' }),
}) as StructType<never, never>

export const CustomResourceValidation = struct('CustomResourceValidation', {
  openAPIV3Schema: opt(1, JSONSchemaProps, 'The schema.'),
}, 'What objects look like.')
export interface CustomResourceValidation extends Of<typeof CustomResourceValidation> {}

export const SelectableField = struct('SelectableField', {
  jsonPath: req(1, string, 'The field, such as .spec.color.'),
})
export interface SelectableField extends Of<typeof SelectableField> {}

export const CustomResourceDefinitionVersion = struct('CustomResourceDefinitionVersion', {
  name: req(1, string, 'Its name, such as v1.'),
  served: req(2, bool, 'Whether it is served.'),
  storage: req(3, bool, 'Whether objects are stored in it; true for exactly one.'),
  deprecated: zero(7, bool, 'Whether clients are warned.'),
  deprecationWarning: opt(8, string, 'What they are told.'),
  schema: opt(4, CustomResourceValidation, 'What its objects look like.'),
  subresources: opt(5, CustomResourceSubresources, 'Whether it has status and scale.'),
  additionalPrinterColumns: zero(6, list(CustomResourceColumnDefinition), 'Columns of kubectl get.'),
  selectableFields: zero(9, list(SelectableField), { doc: 'Fields that field selectors may name.', gate: 'CustomResourceFieldSelectors' }),
}, 'A version of a custom kind.')
export interface CustomResourceDefinitionVersion extends Of<typeof CustomResourceDefinitionVersion> {}

export const CustomResourceDefinitionSpec = struct('CustomResourceDefinitionSpec', {
  group: req(1, string, 'Its API group.'),
  names: req(3, CustomResourceDefinitionNames, 'What it is called.'),
  scope: req(4, string, 'Namespaced or Cluster.'),
  versions: req(7, list(CustomResourceDefinitionVersion), 'Its versions; one of them is stored.'),
  conversion: opt(9, CustomResourceConversion, 'How versions become each other.'),
  preserveUnknownFields: zero(10, bool, 'Deprecated; must be false.'),
}, 'What a custom kind is.')
export interface CustomResourceDefinitionSpec extends Of<typeof CustomResourceDefinitionSpec> {}

export const CustomResourceDefinitionCondition = struct('CustomResourceDefinitionCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastTransitionTime: fill(3, time, 'When the status last changed.'),
  reason: zero(4, string, 'Why, in one word.'),
  message: zero(5, string, 'Why, for people.'),
  observedGeneration: zero(6, int64, { doc: 'The generation that the statement is about.', gate: 'CRDObservedGenerationTracking' }),
}, 'One statement about the state of the object.')
export interface CustomResourceDefinitionCondition extends Of<typeof CustomResourceDefinitionCondition> {}

export const CustomResourceDefinitionStatus = struct('CustomResourceDefinitionStatus', {
  conditions: fill(1, mapList(CustomResourceDefinitionCondition, ['type']), 'NamesAccepted, Established and others.'),
  acceptedNames: fill(2, CustomResourceDefinitionNames, 'The names it is served under.'),
  storedVersions: fill(3, list(string), 'Versions in which there may be objects.'),
  observedGeneration: zero(4, int64, { doc: 'The generation that was acted on.', gate: 'CRDObservedGenerationTracking' }),
}, 'What is known of a custom kind.')
export interface CustomResourceDefinitionStatus extends Of<typeof CustomResourceDefinitionStatus> {}

export const CustomResourceDefinition = root('CustomResourceDefinition', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like; the name is <plural>.<group>.'),
  spec: req(2, CustomResourceDefinitionSpec, 'What it is.'),
  status: fill(3, CustomResourceDefinitionStatus, 'Whether it is served.'),
}, 'A kind of objects that is not built in.')
export interface CustomResourceDefinition extends Of<typeof CustomResourceDefinition> {}

const gv = groupVersion('apiextensions.k8s.io', 'v1')

export const customresourcedefinitions = gv.resource(CustomResourceDefinition, { plural: 'customresourcedefinitions', short: ['crd', 'crds'], categories: ['api-extensions'], subresources: ['status'] })
