import { bool, fill, int32, int64, list, map, must, oneOf, opt, quantity, req, string, struct, zero, type Of } from '../schema.ts'
import { LocalObjectReference, ObjectFieldSelector, ObjectReference, ResourceFieldSelector, SecretReference, TypedLocalObjectReference, TypedObjectReference, VolumeResourceRequirements } from './shared.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const AWSElasticBlockStoreVolumeSource = struct('AWSElasticBlockStoreVolumeSource', {
  volumeID: req(1, string),
  fsType: zero(2, string),
  partition: zero(3, int32),
  readOnly: zero(4, bool),
})
export interface AWSElasticBlockStoreVolumeSource extends Of<typeof AWSElasticBlockStoreVolumeSource> {}

export const AzureDataDiskCachingMode = oneOf('None', 'ReadOnly', 'ReadWrite')
export type AzureDataDiskCachingMode = Of<typeof AzureDataDiskCachingMode>

export const AzureDataDiskKind = oneOf('Shared', 'Dedicated', 'Managed')
export type AzureDataDiskKind = Of<typeof AzureDataDiskKind>

export const AzureDiskVolumeSource = struct('AzureDiskVolumeSource', {
  diskName: req(1, string),
  diskURI: req(2, string),
  cachingMode: opt(3, AzureDataDiskCachingMode, { default: 'ReadWrite' }),
  fsType: opt(4, string, { default: 'ext4' }),
  readOnly: opt(5, bool, { default: false }),
  kind: opt(6, AzureDataDiskKind, { default: 'Shared' }),
})
export interface AzureDiskVolumeSource extends Of<typeof AzureDiskVolumeSource> {}

export const AzureFileVolumeSource = struct('AzureFileVolumeSource', {
  secretName: req(1, string),
  shareName: req(2, string),
  readOnly: zero(3, bool),
})
export interface AzureFileVolumeSource extends Of<typeof AzureFileVolumeSource> {}

export const CSIVolumeSource = struct('CSIVolumeSource', {
  driver: req(1, string, 'The name of the driver.'),
  readOnly: opt(2, bool, 'Mount it read-only.'),
  fsType: opt(3, string, 'The file system.'),
  volumeAttributes: zero(4, map(string), 'Settings for the driver.'),
  nodePublishSecretRef: opt(5, LocalObjectReference, 'A secret for the driver.'),
}, 'A volume made for the pod by a CSI driver.')
export interface CSIVolumeSource extends Of<typeof CSIVolumeSource> {}

export const CephFSVolumeSource = struct('CephFSVolumeSource', {
  monitors: req(1, list(string)),
  path: zero(2, string),
  user: zero(3, string),
  secretFile: zero(4, string),
  secretRef: opt(5, LocalObjectReference),
  readOnly: zero(6, bool),
})
export interface CephFSVolumeSource extends Of<typeof CephFSVolumeSource> {}

export const CinderVolumeSource = struct('CinderVolumeSource', {
  volumeID: req(1, string),
  fsType: zero(2, string),
  readOnly: zero(3, bool),
  secretRef: opt(4, LocalObjectReference),
})
export interface CinderVolumeSource extends Of<typeof CinderVolumeSource> {}

export const KeyToPath = struct('KeyToPath', {
  key: req(1, string, 'The key of the entry.'),
  path: req(2, string, 'The path of the file in the volume.'),
  mode: opt(3, int32, 'Permission bits of the file.'),
}, 'An entry, and the file it becomes.')
export interface KeyToPath extends Of<typeof KeyToPath> {}

export const ConfigMapVolumeSource = struct('ConfigMapVolumeSource', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  items: zero(2, list(KeyToPath), 'Entries to show, and where; all when left out.'),
  defaultMode: opt(3, int32, 'Permission bits of the files. Default 0644.'),
  optional: opt(4, bool, 'Whether the config map may be missing.'),
}, 'The entries of a config map, as files.')
export interface ConfigMapVolumeSource extends Of<typeof ConfigMapVolumeSource> {}

export const DownwardAPIVolumeFile = struct('DownwardAPIVolumeFile', {
  path: req(1, string, 'The path of the file in the volume.'),
  fieldRef: opt(2, ObjectFieldSelector, 'A field of the pod: metadata.labels, metadata.annotations, metadata.name, metadata.namespace, metadata.uid.'),
  resourceFieldRef: opt(3, ResourceFieldSelector, 'A limit or request of a container.'),
  mode: opt(4, int32, 'Permission bits of the file.'),
}, 'A file that tells something about the pod.')
export interface DownwardAPIVolumeFile extends Of<typeof DownwardAPIVolumeFile> {}

export const DownwardAPIVolumeSource = struct('DownwardAPIVolumeSource', {
  items: zero(1, list(DownwardAPIVolumeFile), 'The files.'),
  defaultMode: opt(2, int32, 'Permission bits of the files. Default 0644.'),
}, 'Fields of the pod, as files.')
export interface DownwardAPIVolumeSource extends Of<typeof DownwardAPIVolumeSource> {}

export const EmptyDirVolumeSource = struct('EmptyDirVolumeSource', {
  medium: zero(1, string, 'Empty for the disk of the node, Memory for its memory.'),
  sizeLimit: opt(2, quantity, 'The most it may hold.'),
}, 'An empty directory that lives as long as the pod.')
export interface EmptyDirVolumeSource extends Of<typeof EmptyDirVolumeSource> {}

export const PersistentVolumeAccessMode = oneOf('ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod')
export type PersistentVolumeAccessMode = Of<typeof PersistentVolumeAccessMode>

export const PersistentVolumeMode = oneOf('Block', 'Filesystem')
export type PersistentVolumeMode = Of<typeof PersistentVolumeMode>

export const PersistentVolumeClaimSpec = struct('PersistentVolumeClaimSpec', {
  accessModes: zero(1, list(PersistentVolumeAccessMode), 'How the volume must be mountable.'),
  selector: opt(4, LabelSelector, 'Labels the volume must have.'),
  resources: fill(2, VolumeResourceRequirements, 'How much it must hold, in requests.storage.'),
  volumeName: zero(3, string, 'The volume it is bound to.'),
  storageClassName: opt(5, string, 'The class the volume must be of; left out: the default class; empty: none.'),
  volumeMode: opt(6, PersistentVolumeMode, 'Filesystem (the default) or Block.'),
  dataSource: opt(7, TypedLocalObjectReference, 'A snapshot or claim to start from.'),
  dataSourceRef: opt(8, TypedObjectReference, 'An object to start from.'),
  volumeAttributesClassName: opt(9, string, { doc: 'The class of attributes the volume should have.', gate: 'VolumeAttributesClass' }),
}, 'What is wanted of a claim.')
export interface PersistentVolumeClaimSpec extends Of<typeof PersistentVolumeClaimSpec> {}

export const PersistentVolumeClaimTemplate = struct('PersistentVolumeClaimTemplate', {
  metadata: fill(1, ObjectMeta),
  spec: req(2, PersistentVolumeClaimSpec),
})
export interface PersistentVolumeClaimTemplate extends Of<typeof PersistentVolumeClaimTemplate> {}

export const EphemeralVolumeSource = struct('EphemeralVolumeSource', {
  volumeClaimTemplate: opt(1, PersistentVolumeClaimTemplate, 'What the claim looks like.'),
}, 'A claim made for the pod and deleted with it.')
export interface EphemeralVolumeSource extends Of<typeof EphemeralVolumeSource> {}

export const FCVolumeSource = struct('FCVolumeSource', {
  targetWWNs: zero(1, list(string)),
  lun: opt(2, int32),
  fsType: zero(3, string),
  readOnly: zero(4, bool),
  wwids: zero(5, list(string)),
})
export interface FCVolumeSource extends Of<typeof FCVolumeSource> {}

export const FlexVolumeSource = struct('FlexVolumeSource', {
  driver: req(1, string),
  fsType: zero(2, string),
  secretRef: opt(3, LocalObjectReference),
  readOnly: zero(4, bool),
  options: zero(5, map(string)),
})
export interface FlexVolumeSource extends Of<typeof FlexVolumeSource> {}

export const FlockerVolumeSource = struct('FlockerVolumeSource', {
  datasetName: zero(1, string),
  datasetUUID: zero(2, string),
})
export interface FlockerVolumeSource extends Of<typeof FlockerVolumeSource> {}

export const GCEPersistentDiskVolumeSource = struct('GCEPersistentDiskVolumeSource', {
  pdName: req(1, string),
  fsType: zero(2, string),
  partition: zero(3, int32),
  readOnly: zero(4, bool),
})
export interface GCEPersistentDiskVolumeSource extends Of<typeof GCEPersistentDiskVolumeSource> {}

export const GitRepoVolumeSource = struct('GitRepoVolumeSource', {
  repository: req(1, string),
  revision: zero(2, string),
  directory: zero(3, string),
})
export interface GitRepoVolumeSource extends Of<typeof GitRepoVolumeSource> {}

export const GlusterfsVolumeSource = struct('GlusterfsVolumeSource', {
  endpoints: req(1, string),
  path: req(2, string),
  readOnly: zero(3, bool),
})
export interface GlusterfsVolumeSource extends Of<typeof GlusterfsVolumeSource> {}

export const HostPathType = oneOf('', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice')
export type HostPathType = Of<typeof HostPathType>

export const HostPathVolumeSource = struct('HostPathVolumeSource', {
  path: req(1, string, 'The path on the node.'),
  type: opt(2, HostPathType, 'What must be there, or is made: DirectoryOrCreate, Directory, FileOrCreate, File, Socket, CharDevice, BlockDevice; empty for no check.'),
}, 'A file or directory of the node.')
export interface HostPathVolumeSource extends Of<typeof HostPathVolumeSource> {}

export const ISCSIVolumeSource = struct('ISCSIVolumeSource', {
  targetPortal: req(1, string),
  iqn: req(2, string),
  lun: req(3, int32),
  iscsiInterface: zero(4, string, { default: 'default' }),
  fsType: zero(5, string),
  readOnly: zero(6, bool),
  portals: zero(7, list(string)),
  chapAuthDiscovery: zero(8, bool),
  chapAuthSession: zero(11, bool),
  secretRef: opt(10, LocalObjectReference),
  initiatorName: opt(12, string),
})
export interface ISCSIVolumeSource extends Of<typeof ISCSIVolumeSource> {}

export const PullPolicy = oneOf('Always', 'Never', 'IfNotPresent')
export type PullPolicy = Of<typeof PullPolicy>

export const ImageVolumeSource = struct('ImageVolumeSource', {
  reference: zero(1, string, 'The image.'),
  pullPolicy: zero(2, PullPolicy, 'Always, IfNotPresent or Never.'),
}, 'The files of an OCI image or artifact.')
export interface ImageVolumeSource extends Of<typeof ImageVolumeSource> {}

export const NFSVolumeSource = struct('NFSVolumeSource', {
  server: req(1, string, 'The server.'),
  path: req(2, string, 'The exported path.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
}, 'An NFS share.')
export interface NFSVolumeSource extends Of<typeof NFSVolumeSource> {}

export const PersistentVolumeClaimVolumeSource = struct('PersistentVolumeClaimVolumeSource', {
  claimName: req(1, string, 'The name of the claim.'),
  readOnly: zero(2, bool, 'Mount it read-only.'),
}, 'A claim of the namespace of the pod.')
export interface PersistentVolumeClaimVolumeSource extends Of<typeof PersistentVolumeClaimVolumeSource> {}

export const PhotonPersistentDiskVolumeSource = struct('PhotonPersistentDiskVolumeSource', {
  pdID: req(1, string),
  fsType: zero(2, string),
})
export interface PhotonPersistentDiskVolumeSource extends Of<typeof PhotonPersistentDiskVolumeSource> {}

export const PortworxVolumeSource = struct('PortworxVolumeSource', {
  volumeID: req(1, string),
  fsType: zero(2, string),
  readOnly: zero(3, bool),
})
export interface PortworxVolumeSource extends Of<typeof PortworxVolumeSource> {}

export const ClusterTrustBundleProjection = struct('ClusterTrustBundleProjection', {
  name: opt(1, string),
  signerName: opt(2, string),
  labelSelector: opt(3, LabelSelector),
  optional: opt(5, bool),
  path: req(4, string),
})
export interface ClusterTrustBundleProjection extends Of<typeof ClusterTrustBundleProjection> {}

export const ConfigMapProjection = struct('ConfigMapProjection', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  items: zero(2, list(KeyToPath)),
  optional: opt(4, bool),
})
export interface ConfigMapProjection extends Of<typeof ConfigMapProjection> {}

export const DownwardAPIProjection = struct('DownwardAPIProjection', {
  items: zero(1, list(DownwardAPIVolumeFile)),
})
export interface DownwardAPIProjection extends Of<typeof DownwardAPIProjection> {}

export const PodCertificateProjection = struct('PodCertificateProjection', {
  signerName: zero(1, string, { required: true }),
  keyType: zero(2, string, { required: true }),
  maxExpirationSeconds: opt(3, int32),
  credentialBundlePath: zero(4, string),
  keyPath: zero(5, string),
  certificateChainPath: zero(6, string),
  userAnnotations: zero(7, map(string)),
})
export interface PodCertificateProjection extends Of<typeof PodCertificateProjection> {}

export const SecretProjection = struct('SecretProjection', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  items: zero(2, list(KeyToPath)),
  optional: opt(4, bool),
})
export interface SecretProjection extends Of<typeof SecretProjection> {}

export const ServiceAccountTokenProjection = struct('ServiceAccountTokenProjection', {
  audience: zero(1, string, 'For whom the token is; by default the API server.'),
  expirationSeconds: opt(2, int64, 'How long a token is good, at least 600 seconds. Default 3600.'),
  path: req(3, string, 'The path of the file in the volume.'),
}, 'A token of the service account of the pod, renewed before it expires.')
export interface ServiceAccountTokenProjection extends Of<typeof ServiceAccountTokenProjection> {}

export const VolumeProjection = struct('VolumeProjection', {
  secret: opt(1, SecretProjection, 'A secret.'),
  downwardAPI: opt(2, DownwardAPIProjection, 'Fields of the pod.'),
  configMap: opt(3, ConfigMapProjection, 'A config map.'),
  serviceAccountToken: opt(4, ServiceAccountTokenProjection, 'A token of the service account of the pod.'),
  clusterTrustBundle: opt(5, ClusterTrustBundleProjection, { doc: 'Certificates to trust.', gate: 'ClusterTrustBundleProjection' }),
  podCertificate: opt(6, PodCertificateProjection, { doc: 'A key and a certificate for the pod.', gate: 'PodCertificateProjection' }),
}, 'One source of a projected volume: exactly one of these.')
export interface VolumeProjection extends Of<typeof VolumeProjection> {}

export const ProjectedVolumeSource = struct('ProjectedVolumeSource', {
  sources: fill(1, list(VolumeProjection), 'The sources.'),
  defaultMode: opt(2, int32, 'Permission bits of the files. Default 0644.'),
}, 'Several sources in one directory.')
export interface ProjectedVolumeSource extends Of<typeof ProjectedVolumeSource> {}

export const QuobyteVolumeSource = struct('QuobyteVolumeSource', {
  registry: req(1, string),
  volume: req(2, string),
  readOnly: zero(3, bool),
  user: zero(4, string),
  group: zero(5, string),
  tenant: zero(6, string),
})
export interface QuobyteVolumeSource extends Of<typeof QuobyteVolumeSource> {}

export const RBDVolumeSource = struct('RBDVolumeSource', {
  monitors: req(1, list(string)),
  image: req(2, string),
  fsType: zero(3, string),
  pool: zero(4, string, { default: 'rbd' }),
  user: zero(5, string, { default: 'admin' }),
  keyring: zero(6, string, { default: '/etc/ceph/keyring' }),
  secretRef: opt(7, LocalObjectReference),
  readOnly: zero(8, bool),
})
export interface RBDVolumeSource extends Of<typeof RBDVolumeSource> {}

export const ScaleIOVolumeSource = struct('ScaleIOVolumeSource', {
  gateway: req(1, string),
  system: req(2, string),
  secretRef: must(3, LocalObjectReference),
  sslEnabled: zero(4, bool),
  protectionDomain: zero(5, string),
  storagePool: zero(6, string),
  storageMode: zero(7, string, { default: 'ThinProvisioned' }),
  volumeName: zero(8, string),
  fsType: zero(9, string, { default: 'xfs' }),
  readOnly: zero(10, bool),
})
export interface ScaleIOVolumeSource extends Of<typeof ScaleIOVolumeSource> {}

export const SecretVolumeSource = struct('SecretVolumeSource', {
  secretName: zero(1, string, 'The name of the secret.'),
  items: zero(2, list(KeyToPath), 'Entries to show, and where; all when left out.'),
  defaultMode: opt(3, int32, 'Permission bits of the files. Default 0644.'),
  optional: opt(4, bool, 'Whether the secret may be missing.'),
}, 'The entries of a secret, as files.')
export interface SecretVolumeSource extends Of<typeof SecretVolumeSource> {}

export const StorageOSVolumeSource = struct('StorageOSVolumeSource', {
  volumeName: zero(1, string),
  volumeNamespace: zero(2, string),
  fsType: zero(3, string),
  readOnly: zero(4, bool),
  secretRef: opt(5, LocalObjectReference),
})
export interface StorageOSVolumeSource extends Of<typeof StorageOSVolumeSource> {}

export const VsphereVirtualDiskVolumeSource = struct('VsphereVirtualDiskVolumeSource', {
  volumePath: req(1, string),
  fsType: zero(2, string),
  storagePolicyName: zero(3, string),
  storagePolicyID: zero(4, string),
})
export interface VsphereVirtualDiskVolumeSource extends Of<typeof VsphereVirtualDiskVolumeSource> {}

export const VolumeSource = struct('VolumeSource', {
  hostPath: opt(1, HostPathVolumeSource, 'A file or directory of the node.'),
  emptyDir: opt(2, EmptyDirVolumeSource, 'An empty directory that lives as long as the pod.'),
  gcePersistentDisk: opt(3, GCEPersistentDiskVolumeSource),
  awsElasticBlockStore: opt(4, AWSElasticBlockStoreVolumeSource),
  gitRepo: opt(5, GitRepoVolumeSource, 'Deprecated: a git repository.'),
  secret: opt(6, SecretVolumeSource, 'The entries of a secret, as files.'),
  nfs: opt(7, NFSVolumeSource, 'An NFS share.'),
  iscsi: opt(8, ISCSIVolumeSource, 'An iSCSI disk.'),
  glusterfs: opt(9, GlusterfsVolumeSource),
  persistentVolumeClaim: opt(10, PersistentVolumeClaimVolumeSource, 'A claim for a persistent volume.'),
  rbd: opt(11, RBDVolumeSource),
  flexVolume: opt(12, FlexVolumeSource),
  cinder: opt(13, CinderVolumeSource),
  cephfs: opt(14, CephFSVolumeSource),
  flocker: opt(15, FlockerVolumeSource),
  downwardAPI: opt(16, DownwardAPIVolumeSource, 'Fields of the pod, as files.'),
  fc: opt(17, FCVolumeSource, 'A Fibre Channel disk.'),
  azureFile: opt(18, AzureFileVolumeSource),
  configMap: opt(19, ConfigMapVolumeSource, 'The entries of a config map, as files.'),
  vsphereVolume: opt(20, VsphereVirtualDiskVolumeSource),
  quobyte: opt(21, QuobyteVolumeSource),
  azureDisk: opt(22, AzureDiskVolumeSource),
  photonPersistentDisk: opt(23, PhotonPersistentDiskVolumeSource),
  projected: opt(26, ProjectedVolumeSource, 'Several sources in one directory.'),
  portworxVolume: opt(24, PortworxVolumeSource),
  scaleIO: opt(25, ScaleIOVolumeSource),
  storageos: opt(27, StorageOSVolumeSource),
  csi: opt(28, CSIVolumeSource, 'A volume made for this pod by a CSI driver.'),
  ephemeral: opt(29, EphemeralVolumeSource, 'A claim made for this pod and deleted with it.'),
  image: opt(30, ImageVolumeSource, 'The files of an OCI image or artifact, read-only.'),
}, 'Where a volume comes from: exactly one of these.')
export interface VolumeSource extends Of<typeof VolumeSource> {}

export const Volume = struct('Volume', {
  name: req(1, string, 'The name, unique in the pod.'),
  volumeSource: fill(2, VolumeSource, { inline: true }),
}, 'Storage that containers of a pod can mount: exactly one source.')
export interface Volume extends Of<typeof Volume> {}

export const AzureFilePersistentVolumeSource = struct('AzureFilePersistentVolumeSource', {
  secretName: req(1, string),
  shareName: req(2, string),
  readOnly: zero(3, bool),
  secretNamespace: opt(4, string),
})
export interface AzureFilePersistentVolumeSource extends Of<typeof AzureFilePersistentVolumeSource> {}

export const CSIPersistentVolumeSource = struct('CSIPersistentVolumeSource', {
  driver: req(1, string, 'The name of the driver.'),
  volumeHandle: req(2, string, 'What the driver calls the volume.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
  fsType: zero(4, string, 'The file system.'),
  volumeAttributes: zero(5, map(string), 'What the driver said of the volume when it made it.'),
  controllerPublishSecretRef: opt(6, SecretReference),
  nodeStageSecretRef: opt(7, SecretReference),
  nodePublishSecretRef: opt(8, SecretReference),
  controllerExpandSecretRef: opt(9, SecretReference),
  nodeExpandSecretRef: opt(10, SecretReference),
}, 'A volume of a CSI driver.')
export interface CSIPersistentVolumeSource extends Of<typeof CSIPersistentVolumeSource> {}

export const CephFSPersistentVolumeSource = struct('CephFSPersistentVolumeSource', {
  monitors: req(1, list(string)),
  path: zero(2, string),
  user: zero(3, string),
  secretFile: zero(4, string),
  secretRef: opt(5, SecretReference),
  readOnly: zero(6, bool),
})
export interface CephFSPersistentVolumeSource extends Of<typeof CephFSPersistentVolumeSource> {}

export const CinderPersistentVolumeSource = struct('CinderPersistentVolumeSource', {
  volumeID: req(1, string),
  fsType: zero(2, string),
  readOnly: zero(3, bool),
  secretRef: opt(4, SecretReference),
})
export interface CinderPersistentVolumeSource extends Of<typeof CinderPersistentVolumeSource> {}

export const FlexPersistentVolumeSource = struct('FlexPersistentVolumeSource', {
  driver: req(1, string),
  fsType: zero(2, string),
  secretRef: opt(3, SecretReference),
  readOnly: zero(4, bool),
  options: zero(5, map(string)),
})
export interface FlexPersistentVolumeSource extends Of<typeof FlexPersistentVolumeSource> {}

export const GlusterfsPersistentVolumeSource = struct('GlusterfsPersistentVolumeSource', {
  endpoints: req(1, string),
  path: req(2, string),
  readOnly: zero(3, bool),
  endpointsNamespace: opt(4, string),
})
export interface GlusterfsPersistentVolumeSource extends Of<typeof GlusterfsPersistentVolumeSource> {}

export const ISCSIPersistentVolumeSource = struct('ISCSIPersistentVolumeSource', {
  targetPortal: req(1, string),
  iqn: req(2, string),
  lun: req(3, int32),
  iscsiInterface: zero(4, string, { default: 'default' }),
  fsType: zero(5, string),
  readOnly: zero(6, bool),
  portals: zero(7, list(string)),
  chapAuthDiscovery: zero(8, bool),
  chapAuthSession: zero(11, bool),
  secretRef: opt(10, SecretReference),
  initiatorName: opt(12, string),
})
export interface ISCSIPersistentVolumeSource extends Of<typeof ISCSIPersistentVolumeSource> {}

export const LocalVolumeSource = struct('LocalVolumeSource', {
  path: req(1, string, 'The path on the node.'),
  fsType: opt(2, string, 'The file system, if the path is a block device.'),
}, 'A disk or directory of one node.')
export interface LocalVolumeSource extends Of<typeof LocalVolumeSource> {}

export const RBDPersistentVolumeSource = struct('RBDPersistentVolumeSource', {
  monitors: req(1, list(string)),
  image: req(2, string),
  fsType: zero(3, string),
  pool: zero(4, string, { default: 'rbd' }),
  user: zero(5, string, { default: 'admin' }),
  keyring: zero(6, string, { default: '/etc/ceph/keyring' }),
  secretRef: opt(7, SecretReference),
  readOnly: zero(8, bool),
})
export interface RBDPersistentVolumeSource extends Of<typeof RBDPersistentVolumeSource> {}

export const ScaleIOPersistentVolumeSource = struct('ScaleIOPersistentVolumeSource', {
  gateway: req(1, string),
  system: req(2, string),
  secretRef: must(3, SecretReference),
  sslEnabled: zero(4, bool),
  protectionDomain: zero(5, string),
  storagePool: zero(6, string),
  storageMode: zero(7, string, { default: 'ThinProvisioned' }),
  volumeName: zero(8, string),
  fsType: zero(9, string, { default: 'xfs' }),
  readOnly: zero(10, bool),
})
export interface ScaleIOPersistentVolumeSource extends Of<typeof ScaleIOPersistentVolumeSource> {}

export const StorageOSPersistentVolumeSource = struct('StorageOSPersistentVolumeSource', {
  volumeName: zero(1, string),
  volumeNamespace: zero(2, string),
  fsType: zero(3, string),
  readOnly: zero(4, bool),
  secretRef: opt(5, ObjectReference),
})
export interface StorageOSPersistentVolumeSource extends Of<typeof StorageOSPersistentVolumeSource> {}

export const PersistentVolumeSource = struct('PersistentVolumeSource', {
  gcePersistentDisk: opt(1, GCEPersistentDiskVolumeSource),
  awsElasticBlockStore: opt(2, AWSElasticBlockStoreVolumeSource),
  hostPath: opt(3, HostPathVolumeSource),
  glusterfs: opt(4, GlusterfsPersistentVolumeSource),
  nfs: opt(5, NFSVolumeSource),
  rbd: opt(6, RBDPersistentVolumeSource),
  iscsi: opt(7, ISCSIPersistentVolumeSource),
  cinder: opt(8, CinderPersistentVolumeSource),
  cephfs: opt(9, CephFSPersistentVolumeSource),
  fc: opt(10, FCVolumeSource),
  flocker: opt(11, FlockerVolumeSource),
  flexVolume: opt(12, FlexPersistentVolumeSource),
  azureFile: opt(13, AzureFilePersistentVolumeSource),
  vsphereVolume: opt(14, VsphereVirtualDiskVolumeSource),
  quobyte: opt(15, QuobyteVolumeSource),
  azureDisk: opt(16, AzureDiskVolumeSource),
  photonPersistentDisk: opt(17, PhotonPersistentDiskVolumeSource),
  portworxVolume: opt(18, PortworxVolumeSource),
  scaleIO: opt(19, ScaleIOPersistentVolumeSource),
  local: opt(20, LocalVolumeSource),
  storageos: opt(21, StorageOSPersistentVolumeSource),
  csi: opt(22, CSIPersistentVolumeSource),
})
export interface PersistentVolumeSource extends Of<typeof PersistentVolumeSource> {}
