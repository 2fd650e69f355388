/** Which admission plugins are on: kube-apiserver's names, and what of them is on when nobody says anything. */

/** Plugins that change or refuse nothing here: what they look at belongs to features that Kubernetes has off by default, or is checked elsewhere. */
const idle = ['AlwaysAdmit', 'ClusterTrustBundleAttest', 'JobValidation', 'NodeDeclaredFeatureValidator', 'PodGroupProtection', 'PodGroupWorkloadExists', 'PodResizeValidator']
/** Those of Kubernetes that this server does not have; it has them off too. */
const missing: ReadonlySet<string> = new Set(['AlwaysDeny', 'EventRateLimit', 'ImagePolicyWebhook', 'LimitPodHardAntiAffinityTopology', 'NamespaceAutoProvision', 'NamespaceExists', 'PodNodeSelector', 'PodTolerationRestriction'])
/** Off unless asked for, as in kube-apiserver. */
const off = ['AlwaysPullImages', 'DenyServiceExternalIPs', 'ExtendedResourceToleration', 'OwnerReferencesPermissionEnforcement']
/** kube-apiserver's own choice, with NodeRestriction, which every installer of clusters adds to it. */
const on = [
  'CertificateApproval', 'CertificateSigning', 'CertificateSubjectRestriction', 'DefaultIngressClass', 'DefaultStorageClass', 'DefaultTolerationSeconds', 'LimitRanger', 'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook', 'NamespaceLifecycle', 'NodeRestriction', 'PersistentVolumeClaimResize', 'PodSecurity', 'PodTopologyLabels', 'Priority', 'ResourceQuota', 'RuntimeClass', 'ServiceAccount',
  'StorageObjectInUseProtection', 'TaintNodesByCondition', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionWebhook',
]
const known: ReadonlySet<string> = new Set([...idle, ...missing, ...off, ...on])

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

/** Throws an `Error` of one line for names that nobody knows or that cannot be had, and for those that are to be both on and off. */
export function checkPlugins({ enable = [], disable = [] }: PluginChoice): void {
  const errors = [
    ...enable.filter((name) => !known.has(name)).map((name) => `enable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
    ...enable.filter((name) => missing.has(name)).map((name) => `enable-admission-plugins plugin ${JSON.stringify(name)} is not supported`),
    ...disable.filter((name) => !known.has(name)).map((name) => `disable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
  ]
  const both = enable.filter((name) => disable.includes(name)).toSorted()
  if (both.length > 0) errors.push(`[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`)
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`)
}
