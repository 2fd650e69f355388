/** Sources of volumes that are more than required texts, as pods and persistent volumes both have them. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, inRange } from '../../../../machinery/names.ts'
import { follows, ifThere, named, within } from '../../checks.ts'

/** Where the errors of a source stand, if not under its own name. */
export const sourcePath: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' }

const initiatorForms: readonly (readonly [prefix: string, form: RegExp])[] = [
  ['iqn', /iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+$/],
  ['eui', /^eui.[0-9A-Za-z]{16}$/],
  ['naa', /^naa.[0-9A-Za-z]{32}$/],
]

function initiator(at: Place, value: string): void {
  const form = initiatorForms.find(([prefix]) => value.startsWith(prefix))
  if (!form) at.invalid(value, 'must be valid format starting with iqn, eui, or naa')
  else if (!form[1].test(value)) at.invalid(value, 'must be valid format')
}

type Scsi = core.ISCSIVolumeSource | core.ISCSIPersistentVolumeSource

/** A disk that is reached by iSCSI. */
export function iscsi(at: Place, source: Scsi): void {
  if (source.iqn) initiator(at.at('iqn'), source.iqn)
  within(at.at('lun'), source.lun, 0, 255)
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) at.at('secretRef').required()
  if (source.initiatorName !== undefined) initiator(at.at('initiatorname'), source.initiatorName)
}

/** A disk that is reached by Fibre Channel: by the names of its targets, or by its own. */
export function fc(at: Place, { targetWWNs = [], wwids = [], lun }: core.FCVolumeSource): void {
  const place = at.at('targetWWNs')
  if (targetWWNs.length === 0 && wwids.length === 0) place.required('must specify either targetWWNs or wwids, but not both')
  if (targetWWNs.length > 0 && wwids.length > 0) place.invalid(targetWWNs, 'targetWWNs and wwids can not be specified simultaneously')
  if (targetWWNs.length === 0) return
  if (lun === undefined) at.at('lun').required('lun is required if targetWWNs is specified')
  else within(at.at('lun'), lun, 0, 255)
}

/** The number of a disk's partition; 0 is none. */
export function partition(at: Place, { partition: number = 0 }: { readonly partition?: number | undefined }): void {
  if (number < 0 || number > 255) for (const why of inRange(number, 1, 255)) at.at('partition').invalid(number, why)
}

export function flocker(at: Place, { datasetName, datasetUUID }: core.FlockerVolumeSource): void {
  if (!datasetName && !datasetUUID) at.required('one of datasetName and datasetUUID is required')
  if (datasetName && datasetUUID) at.invalid('resource', 'datasetName and datasetUUID can not be specified simultaneously')
  if (datasetName?.includes('/')) at.at('datasetName').invalid(datasetName, "must not contain '/'")
}

export function quobyte(at: Place, { registry, tenant = '' }: core.QuobyteVolumeSource): void {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas'
  if (!registry) return
  if (tenant.length > 64) at.at('tenant').required('must be a UUID and may not exceed a length of 64 characters')
  else for (const pair of registry.split(',')) if (!/^(?:[^:[\]]*|\[[^[\]]*\]):[^:]*$/.test(pair)) at.at('registry').invalid(registry, pairs)
}

/** At least one monitor. */
export function monitors(at: Place, { monitors: list }: { readonly monitors: readonly string[] }): void {
  if (list.length === 0) at.at('monitors').required()
}

/** A driver's own options do not use Kubernetes's names. */
export function flexOptions(at: Place, { options }: { readonly options?: Readonly<Record<string, string>> | undefined }): void {
  for (const key of Object.keys(options ?? {})) {
    const prefix = `.${key.split('/')[0]?.toLowerCase()}`
    if (prefix.endsWith('.kubernetes.io') || prefix.endsWith('.k8s.io')) at.at('options').key(key).invalid(key, 'kubernetes.io and k8s.io namespaces are reserved')
  }
}

export function azureDisk(at: Place, { kind, diskURI, cachingMode }: core.AzureDiskVolumeSource): void {
  ifThere(at.at('cachingMode'), cachingMode, ['None', 'ReadOnly', 'ReadWrite'])
  ifThere(at.at('kind'), kind, ['Dedicated', 'Managed', 'Shared'])
  if (kind === undefined) return
  const [start, form] = kind === 'Managed'
    ? ['/subscriptions/', '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}']
    : ['https://', 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd']
  if (!diskURI.startsWith(start as string)) at.at('diskURI').notSupported(diskURI, [form as string])
}

type StorageOS = core.StorageOSVolumeSource | core.StorageOSPersistentVolumeSource

export function storageos(at: Place, { volumeName, volumeNamespace, secretRef }: StorageOS): void {
  named(at.at('volumeName'), volumeName, dns1123Label)
  if (volumeNamespace) follows(at.at('volumeNamespace'), volumeNamespace, dns1123Label)
  if (secretRef) named(at.at('secretRef').at('name'), secretRef.name)
}

/** The name of a CSI driver: a domain of at most 63 characters, in which upper case is let pass. */
function csiDriver(at: Place, name: string): void {
  if (!name) at.required()
  if (Buffer.byteLength(name) > 63) at.tooLong(63)
  for (const why of dns1123Subdomain(name.toLowerCase())) at.invalid(name, why)
}

export function csi(at: Place, { driver, nodePublishSecretRef: secret }: core.CSIVolumeSource): void {
  csiDriver(at.at('driver'), driver)
  if (!secret) return
  if (!secret.name) at.at('nodePublishSecretRef').at('name').required()
  else follows(at.at('name'), secret.name, dns1123Subdomain)
}

const secretRefs = ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const

/** A CSI driver's volume, with the secrets that the driver is given on the way. */
export function csiPersistent(at: Place, source: core.CSIPersistentVolumeSource): void {
  csiDriver(at.at('driver'), source.driver)
  named(at.at('volumeHandle'), source.volumeHandle)
  for (const field of secretRefs) {
    const secret = source[field]
    if (!secret) continue
    named(at.at(field).at('name'), secret.name, dns1123Subdomain)
    named(at.at(field).at('namespace'), secret.namespace, dns1123Label)
  }
}

/** A signer: a domain, a slash, and a path of domains. */
export function signerName(at: Place, name: string): void {
  if (!name) return at.required()
  const [domain = '', path, ...more] = name.split('/')
  if (path === undefined || more.length > 0) return at.invalid(name, 'must be a fully qualified domain and path of the form "example.com/signer-name"')
  follows(at, domain, dns1123Subdomain)
  if (!domain.includes('.')) at.invalid(name, 'should be a domain with at least two segments separated by dots')
  follows(at, path, dns1123Subdomain)
  if (name.length > 571) at.tooLong(571)
}

/** A secret that is named together with its namespace. */
export function secretWithNamespace(at: Place, secret: { readonly name?: string | undefined; readonly namespace?: string | undefined } | undefined): void {
  if (!secret) return
  named(at.at('name'), secret.name)
  named(at.at('namespace'), secret.namespace)
}

