/** Which admission plugins are on: kube-apiserver's names, and what of them is on when nobody says anything. */

/** Plugins that change or refuse nothing here: what they look at belongs to features that Kubernetes has off by default, or is checked elsewhere. */
const idle = ['AlwaysAdmit', 'ClusterTrustBundleAttest', 'JobValidation', 'PodGroupProtection', 'PodGroupWorkloadExists']
/** Off unless asked for, as in kube-apiserver. */
const off = [
  'AlwaysDeny', 'AlwaysPullImages', 'DenyServiceExternalIPs', 'EventRateLimit', 'ExtendedResourceToleration', 'ImagePolicyWebhook', 'LimitPodHardAntiAffinityTopology', 'NamespaceAutoProvision', 'NamespaceExists',
  'OwnerReferencesPermissionEnforcement', 'PodNodeSelector', 'PodTolerationRestriction',
]
/** Those of them that have nothing to go by without a configuration. */
const toldWhatToDo = ['EventRateLimit', 'ImagePolicyWebhook']
/** kube-apiserver's own choice, with NodeRestriction, which every installer of clusters adds to it. */
const on = [
  'CertificateApproval', 'CertificateSigning', 'CertificateSubjectRestriction', 'DefaultIngressClass', 'DefaultStorageClass', 'DefaultTolerationSeconds', 'LimitRanger', 'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook', 'NamespaceLifecycle', 'NodeDeclaredFeatureValidator', 'NodeRestriction', 'PersistentVolumeClaimResize', 'PodResizeValidator', 'PodSecurity', 'PodTopologyLabels', 'Priority', 'ResourceQuota', 'RuntimeClass', 'ServiceAccount',
  'StorageObjectInUseProtection', 'TaintNodesByCondition', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionWebhook',
]
const known: ReadonlySet<string> = new Set([...idle, ...off, ...on])

export interface PluginChoice {
  /** On beside those that are by default. */
  readonly enable?: readonly string[] | undefined
  /** Off although they are on by default. */
  readonly disable?: readonly string[] | undefined
}

/** Whether the plugin of that name runs. Those that Kubernetes has no plugin for (what its registries check) always do. */
export function isOn({ enable, disable }: PluginChoice, name: string): boolean {
  return enable?.includes(name) || !(disable?.includes(name) || off.includes(name))
}

/** Throws an `Error` of one line for names that nobody knows, for those that are to be both on and off, and for those that need a configuration and have none. */
export function checkPlugins({ enable = [], disable = [] }: PluginChoice, configured: readonly string[] = []): void {
  const errors = [
    ...enable.filter((name) => !known.has(name)).map((name) => `enable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
    ...toldWhatToDo.filter((name) => enable.includes(name) && !configured.includes(name)).map((name) => `enable-admission-plugins plugin ${JSON.stringify(name)} needs a configuration in admission-control-config-file`),
    ...disable.filter((name) => !known.has(name)).map((name) => `disable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
  ]
  const both = enable.filter((name) => disable.includes(name)).toSorted()
  if (both.length > 0) errors.push(`[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`)
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`)
}
