/** Every admission plugin, in the order Kubernetes runs them. */
import type { Tokens } from '../authn/tokens.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { ServerEnvironment } from '../options.ts'
import type { Post } from '../remote.ts'
import type { AdmissionPlugin } from './admission.ts'
import { isOn, type PluginChoice } from './chosen.ts'
import type { PluginConfigurations } from './configuration.ts'
import type { AdmissionMetrics } from './metrics.ts'
import { mutatingAdmissionPolicy } from './policies/mutating.ts'
import { validatingAdmissionPolicy } from './policies/validating.ts'
import { alwaysDeny } from './plugins/always-deny.ts'
import { alwaysPullImages } from './plugins/always-pull-images.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './plugins/certificates.ts'
import { defaultIngressClass } from './plugins/default-ingress-class.ts'
import { defaultStorageClass } from './plugins/default-storage-class.ts'
import { defaultTolerationSeconds } from './plugins/default-toleration-seconds.ts'
import { denyServiceExternalIPs } from './plugins/deny-service-external-ips.ts'
import { eventRateLimit } from './plugins/event-rate-limit.ts'
import { extendedResourceToleration } from './plugins/extended-resource-toleration.ts'
import { imagePolicyWebhook } from './plugins/image-policy-webhook.ts'
import { limitPodHardAntiAffinityTopology } from './plugins/limit-pod-hard-anti-affinity-topology.ts'
import { limitRanger } from './plugins/limit-ranger.ts'
import { namespaceAutoProvision } from './plugins/namespace-auto-provision.ts'
import { namespaceExists } from './plugins/namespace-exists.ts'
import { namespaceLifecycle } from './plugins/namespace-lifecycle.ts'
import { nodeDeclaredFeatureValidator } from './plugins/node-declared-feature-validator.ts'
import { nodeRestriction } from './plugins/node-restriction.ts'
import { ownerReferencesPermissionEnforcement } from './plugins/owner-references-permission-enforcement.ts'
import { persistentVolumeClaimResize } from './plugins/persistent-volume-claim-resize.ts'
import { podNodeSelector } from './plugins/pod-node-selector.ts'
import { podResizeValidator } from './plugins/pod-resize-validator.ts'
import { podSecurity } from './plugins/pod-security.ts'
import { podTolerationRestriction } from './plugins/pod-toleration-restriction.ts'
import { podTopologyLabels } from './plugins/pod-topology-labels.ts'
import { policyParams } from './plugins/policy-params.ts'
import { priority } from './plugins/priority.ts'
import { resourceQuota } from './plugins/resource-quota.ts'
import { roleEscalation } from './plugins/role-escalation.ts'
import { runtimeClass } from './plugins/runtime-class.ts'
import { serviceAccount, type ServiceAccountOptions } from './plugins/service-account.ts'
import { tokenSecret } from './plugins/token-secret.ts'
import { storageObjectInUseProtection } from './plugins/storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './plugins/taint-nodes-by-condition.ts'
import { webhooks } from './plugins/webhooks.ts'
import type { WebhookCredentials } from './webhooks/call.ts'

/** What an administrator says of admission. */
export interface AdmissionSettings {
  /** Which plugins run; those of Kubernetes's defaults when left out. */
  readonly plugins?: PluginChoice | undefined
  /** What those are told that take a configuration. */
  readonly configurations?: PluginConfigurations | undefined
  /** What is shown to admission webhooks; left out: nothing. */
  readonly webhookCredentials?: WebhookCredentials | undefined
  /** Reaches the server of `configurations.ImagePolicyWebhook`. */
  readonly imagePolicyPost?: Post | undefined
}

export interface AdmissionOptions extends AdmissionSettings, ServiceAccountOptions {
  /** Who makes tokens; left out: there are none. */
  readonly tokens?: Tokens | undefined
}

export type AdmissionEnvironment = Pick<ServerEnvironment, 'lister' | 'client' | 'clock' | 'resources' | 'log' | 'complete'>

/** All that are on. What changes objects comes before what only refuses them; quotas are last, when everything else is decided. */
export function admissionPlugins(env: AdmissionEnvironment, authorizer: Authorizer, options: AdmissionOptions, metrics?: AdmissionMetrics): readonly AdmissionPlugin[] {
  const { mutating, validating } = webhooks(env, authorizer, metrics, undefined, options.webhookCredentials)
  const { configurations: told = {}, imagePolicyPost: post } = options
  const all = [
    namespaceAutoProvision(env),
    namespaceLifecycle(env),
    namespaceExists(env),
    limitPodHardAntiAffinityTopology(),
    limitRanger(env),
    serviceAccount(env, options),
    ...(options.tokens ? [tokenSecret(env, options.tokens)] : []),
    nodeRestriction(env),
    taintNodesByCondition(),
    alwaysPullImages(),
    ...(told.ImagePolicyWebhook && post ? [imagePolicyWebhook(env, told.ImagePolicyWebhook, post)] : []),
    podSecurity(env, told.PodSecurity, metrics),
    podNodeSelector(env, told.PodNodeSelector),
    priority(env),
    defaultTolerationSeconds(),
    podTolerationRestriction(env, told.PodTolerationRestriction),
    eventRateLimit(env, told.EventRateLimit),
    extendedResourceToleration(),
    defaultStorageClass(env),
    storageObjectInUseProtection(),
    ownerReferencesPermissionEnforcement(env, authorizer),
    persistentVolumeClaimResize(env),
    runtimeClass(env),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateSubjectRestriction(),
    defaultIngressClass(env),
    denyServiceExternalIPs(),
    podTopologyLabels(env),
    nodeDeclaredFeatureValidator(env),
    podResizeValidator(env),
    roleEscalation(env, authorizer),
    policyParams(env, authorizer),
    mutatingAdmissionPolicy(env, authorizer, metrics),
    mutating,
    validatingAdmissionPolicy(env, authorizer, metrics),
    validating,
    resourceQuota(env, told.ResourceQuota),
    alwaysDeny(),
  ]
  return all.filter(({ name }) => isOn(options.plugins ?? {}, name))
}
