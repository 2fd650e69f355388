import { bool, fill, int32, int64, list, map, must, oneOf, opt, quantity, req, string, struct, zero, type Of } from '../schema.ts'
import { LocalObjectReference, ObjectFieldSelector, ObjectReference, ResourceFieldSelector, SecretReference, TypedLocalObjectReference, TypedObjectReference, VolumeResourceRequirements } from './shared.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const AWSElasticBlockStoreVolumeSource = struct('AWSElasticBlockStoreVolumeSource', {
  volumeID: req(1, string, 'What the storage calls it.'),
  fsType: zero(2, string, 'The file system.'),
  partition: zero(3, int32, 'The partition; 0 for the whole disk.'),
  readOnly: zero(4, bool, 'Mount it read-only.'),
}, 'A disk of Amazon EBS; served by a CSI driver now.')
export interface AWSElasticBlockStoreVolumeSource extends Of<typeof AWSElasticBlockStoreVolumeSource> {}

export const AzureDataDiskCachingMode = oneOf('None', 'ReadOnly', 'ReadWrite')
export type AzureDataDiskCachingMode = Of<typeof AzureDataDiskCachingMode>

export const AzureDataDiskKind = oneOf('Shared', 'Dedicated', 'Managed')
export type AzureDataDiskKind = Of<typeof AzureDataDiskKind>

export const AzureDiskVolumeSource = struct('AzureDiskVolumeSource', {
  diskName: req(1, string, 'The name of the disk.'),
  diskURI: req(2, string, 'The URI of the disk.'),
  cachingMode: opt(3, AzureDataDiskCachingMode, { doc: 'How it is cached.', default: 'ReadWrite' }),
  fsType: opt(4, string, { doc: 'The file system.', default: 'ext4' }),
  readOnly: opt(5, bool, { doc: 'Mount it read-only.', default: false }),
  kind: opt(6, AzureDataDiskKind, { doc: 'The kind of disk.', default: 'Shared' }),
}, 'An Azure disk; served by a CSI driver now.')
export interface AzureDiskVolumeSource extends Of<typeof AzureDiskVolumeSource> {}

export const AzureFileVolumeSource = struct('AzureFileVolumeSource', {
  secretName: req(1, string, 'The secret to log in with.'),
  shareName: req(2, string, 'The share.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
}, 'An Azure file share; served by a CSI driver now.')
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
  monitors: req(1, list(string), 'Its monitors.'),
  path: zero(2, string, 'The path.'),
  user: zero(3, string, 'The user to log in as.'),
  secretFile: zero(4, string, 'A file with the secret.'),
  secretRef: opt(5, LocalObjectReference, 'A secret to log in with.'),
  readOnly: zero(6, bool, 'Mount it read-only.'),
}, 'A Ceph file system; no longer supported.')
export interface CephFSVolumeSource extends Of<typeof CephFSVolumeSource> {}

export const CinderVolumeSource = struct('CinderVolumeSource', {
  volumeID: req(1, string, 'What the storage calls it.'),
  fsType: zero(2, string, 'The file system.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
  secretRef: opt(4, LocalObjectReference, 'A secret to log in with.'),
}, 'A disk of OpenStack Cinder; served by a CSI driver now.')
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
  metadata: fill(1, ObjectMeta, 'Labels and annotations of the claim.'),
  spec: req(2, PersistentVolumeClaimSpec, 'The spec of the claim.'),
}, 'What a claim looks like.')
export interface PersistentVolumeClaimTemplate extends Of<typeof PersistentVolumeClaimTemplate> {}

export const EphemeralVolumeSource = struct('EphemeralVolumeSource', {
  volumeClaimTemplate: opt(1, PersistentVolumeClaimTemplate, 'What the claim looks like.'),
}, 'A claim made for the pod and deleted with it.')
export interface EphemeralVolumeSource extends Of<typeof EphemeralVolumeSource> {}

export const FCVolumeSource = struct('FCVolumeSource', {
  targetWWNs: zero(1, list(string), 'Names of the target ports.'),
  lun: opt(2, int32, 'The number of the disk.'),
  fsType: zero(3, string, 'The file system.'),
  readOnly: zero(4, bool, 'Mount it read-only.'),
  wwids: zero(5, list(string), 'Identities of the disk.'),
}, 'A Fibre Channel disk.')
export interface FCVolumeSource extends Of<typeof FCVolumeSource> {}

export const FlexVolumeSource = struct('FlexVolumeSource', {
  driver: req(1, string, 'The driver.'),
  fsType: zero(2, string, 'The file system.'),
  secretRef: opt(3, LocalObjectReference, 'A secret to log in with.'),
  readOnly: zero(4, bool, 'Mount it read-only.'),
  options: zero(5, map(string), 'Settings for the driver.'),
}, 'A volume of a FlexVolume driver; deprecated.')
export interface FlexVolumeSource extends Of<typeof FlexVolumeSource> {}

export const FlockerVolumeSource = struct('FlockerVolumeSource', {
  datasetName: zero(1, string, 'The name of the data set.'),
  datasetUUID: zero(2, string, 'The identity of the data set.'),
}, 'A Flocker data set; no longer supported.')
export interface FlockerVolumeSource extends Of<typeof FlockerVolumeSource> {}

export const GCEPersistentDiskVolumeSource = struct('GCEPersistentDiskVolumeSource', {
  pdName: req(1, string, 'The name of the disk.'),
  fsType: zero(2, string, 'The file system.'),
  partition: zero(3, int32, 'The partition; 0 for the whole disk.'),
  readOnly: zero(4, bool, 'Mount it read-only.'),
}, 'A disk of Google Compute Engine; served by a CSI driver now.')
export interface GCEPersistentDiskVolumeSource extends Of<typeof GCEPersistentDiskVolumeSource> {}

export const GitRepoVolumeSource = struct('GitRepoVolumeSource', {
  repository: req(1, string, 'The repository.'),
  revision: zero(2, string, 'The commit.'),
  directory: zero(3, string, 'The directory to put it in.'),
}, 'A git repository; deprecated.')
export interface GitRepoVolumeSource extends Of<typeof GitRepoVolumeSource> {}

export const GlusterfsVolumeSource = struct('GlusterfsVolumeSource', {
  endpoints: req(1, string, 'The endpoints of the storage.'),
  path: req(2, string, 'The path.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
}, 'A Gluster volume; no longer supported.')
export interface GlusterfsVolumeSource extends Of<typeof GlusterfsVolumeSource> {}

export const HostPathType = oneOf('', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice')
export type HostPathType = Of<typeof HostPathType>

export const HostPathVolumeSource = struct('HostPathVolumeSource', {
  path: req(1, string, 'The path on the node.'),
  type: opt(2, HostPathType, 'What must be there, or is made: DirectoryOrCreate, Directory, FileOrCreate, File, Socket, CharDevice, BlockDevice; empty for no check.'),
}, 'A file or directory of the node.')
export interface HostPathVolumeSource extends Of<typeof HostPathVolumeSource> {}

export const ISCSIVolumeSource = struct('ISCSIVolumeSource', {
  targetPortal: req(1, string, 'The address of the target.'),
  iqn: req(2, string, 'The name of the target.'),
  lun: req(3, int32, 'The number of the disk.'),
  iscsiInterface: zero(4, string, { doc: 'The interface.', default: 'default' }),
  fsType: zero(5, string, 'The file system.'),
  readOnly: zero(6, bool, 'Mount it read-only.'),
  portals: zero(7, list(string), 'More addresses of the target.'),
  chapAuthDiscovery: zero(8, bool, 'Whether discovery logs in by CHAP.'),
  chapAuthSession: zero(11, bool, 'Whether sessions log in by CHAP.'),
  secretRef: opt(10, LocalObjectReference, 'A secret to log in with.'),
  initiatorName: opt(12, string, 'The name of the initiator.'),
}, 'An iSCSI disk.')
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
  pdID: req(1, string, 'The identity of the disk.'),
  fsType: zero(2, string, 'The file system.'),
}, 'A Photon disk; no longer supported.')
export interface PhotonPersistentDiskVolumeSource extends Of<typeof PhotonPersistentDiskVolumeSource> {}

export const PortworxVolumeSource = struct('PortworxVolumeSource', {
  volumeID: req(1, string, 'What the storage calls it.'),
  fsType: zero(2, string, 'The file system.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
}, 'A Portworx volume; served by a CSI driver now.')
export interface PortworxVolumeSource extends Of<typeof PortworxVolumeSource> {}

export const ClusterTrustBundleProjection = struct('ClusterTrustBundleProjection', {
  name: opt(1, string, 'The bundle, by name.'),
  signerName: opt(2, string, 'The bundles, by signer.'),
  labelSelector: opt(3, LabelSelector, 'Which bundles of the signer.'),
  optional: opt(5, bool, 'Whether there may be none.'),
  path: req(4, string, 'The path of the file in the volume.'),
}, 'Certificates to trust, as a file.')
export interface ClusterTrustBundleProjection extends Of<typeof ClusterTrustBundleProjection> {}

export const ConfigMapProjection = struct('ConfigMapProjection', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  items: zero(2, list(KeyToPath), 'Entries to show, and where; all when left out.'),
  optional: opt(4, bool, 'Whether the config map may be missing.'),
}, 'The entries of a config map, as files.')
export interface ConfigMapProjection extends Of<typeof ConfigMapProjection> {}

export const DownwardAPIProjection = struct('DownwardAPIProjection', {
  items: zero(1, list(DownwardAPIVolumeFile), 'The files.'),
}, 'Fields of the pod, as files.')
export interface DownwardAPIProjection extends Of<typeof DownwardAPIProjection> {}

export const PodCertificateProjection = struct('PodCertificateProjection', {
  signerName: zero(1, string, { doc: 'Who signs.', required: true }),
  keyType: zero(2, string, { doc: 'Of the key to make, such as ECDSAP256.', required: true }),
  maxExpirationSeconds: opt(3, int32, 'How long the certificate may hold at most.'),
  credentialBundlePath: zero(4, string, 'Where key and certificates go, in one file.'),
  keyPath: zero(5, string, 'Where the key goes.'),
  certificateChainPath: zero(6, string, 'Where the certificates go.'),
  userAnnotations: zero(7, map(string), 'Told to the signer.'),
})
export interface PodCertificateProjection extends Of<typeof PodCertificateProjection> {}

export const SecretProjection = struct('SecretProjection', {
  localObjectReference: fill(1, LocalObjectReference, { inline: true }),
  items: zero(2, list(KeyToPath), 'Entries to show, and where; all when left out.'),
  optional: opt(4, bool, 'Whether the secret may be missing.'),
}, 'The entries of a secret, as files.')
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
  registry: req(1, string, 'The registry.'),
  volume: req(2, string, 'The volume.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
  user: zero(4, string, 'The user to log in as.'),
  group: zero(5, string, 'The group.'),
  tenant: zero(6, string, 'The tenant.'),
}, 'A Quobyte volume; no longer supported.')
export interface QuobyteVolumeSource extends Of<typeof QuobyteVolumeSource> {}

export const RBDVolumeSource = struct('RBDVolumeSource', {
  monitors: req(1, list(string), 'Its monitors.'),
  image: req(2, string, 'The image.'),
  fsType: zero(3, string, 'The file system.'),
  pool: zero(4, string, { doc: 'The pool.', default: 'rbd' }),
  user: zero(5, string, { doc: 'The user to log in as.', default: 'admin' }),
  keyring: zero(6, string, { doc: 'The key ring.', default: '/etc/ceph/keyring' }),
  secretRef: opt(7, LocalObjectReference, 'A secret to log in with.'),
  readOnly: zero(8, bool, 'Mount it read-only.'),
}, 'A Ceph block device; no longer supported.')
export interface RBDVolumeSource extends Of<typeof RBDVolumeSource> {}

export const ScaleIOVolumeSource = struct('ScaleIOVolumeSource', {
  gateway: req(1, string, 'The gateway.'),
  system: req(2, string, 'The system.'),
  secretRef: must(3, LocalObjectReference, 'A secret to log in with.'),
  sslEnabled: zero(4, bool, 'Whether TLS is spoken.'),
  protectionDomain: zero(5, string, 'The protection domain.'),
  storagePool: zero(6, string, 'The storage pool.'),
  storageMode: zero(7, string, { doc: 'How storage is provisioned.', default: 'ThinProvisioned' }),
  volumeName: zero(8, string, 'The name of the volume.'),
  fsType: zero(9, string, { doc: 'The file system.', default: 'xfs' }),
  readOnly: zero(10, bool, 'Mount it read-only.'),
}, 'A ScaleIO volume; no longer supported.')
export interface ScaleIOVolumeSource extends Of<typeof ScaleIOVolumeSource> {}

export const SecretVolumeSource = struct('SecretVolumeSource', {
  secretName: zero(1, string, 'The name of the secret.'),
  items: zero(2, list(KeyToPath), 'Entries to show, and where; all when left out.'),
  defaultMode: opt(3, int32, 'Permission bits of the files. Default 0644.'),
  optional: opt(4, bool, 'Whether the secret may be missing.'),
}, 'The entries of a secret, as files.')
export interface SecretVolumeSource extends Of<typeof SecretVolumeSource> {}

export const StorageOSVolumeSource = struct('StorageOSVolumeSource', {
  volumeName: zero(1, string, 'The name of the volume.'),
  volumeNamespace: zero(2, string, 'The namespace of the volume.'),
  fsType: zero(3, string, 'The file system.'),
  readOnly: zero(4, bool, 'Mount it read-only.'),
  secretRef: opt(5, LocalObjectReference, 'A secret to log in with.'),
}, 'A StorageOS volume; no longer supported.')
export interface StorageOSVolumeSource extends Of<typeof StorageOSVolumeSource> {}

export const VsphereVirtualDiskVolumeSource = struct('VsphereVirtualDiskVolumeSource', {
  volumePath: req(1, string, 'The path of the disk.'),
  fsType: zero(2, string, 'The file system.'),
  storagePolicyName: zero(3, string, 'The storage policy.'),
  storagePolicyID: zero(4, string, 'The identity of the storage policy.'),
}, 'A vSphere disk; served by a CSI driver now.')
export interface VsphereVirtualDiskVolumeSource extends Of<typeof VsphereVirtualDiskVolumeSource> {}

export const VolumeSource = struct('VolumeSource', {
  hostPath: opt(1, HostPathVolumeSource, 'A file or directory of the node.'),
  emptyDir: opt(2, EmptyDirVolumeSource, 'An empty directory that lives as long as the pod.'),
  gcePersistentDisk: opt(3, GCEPersistentDiskVolumeSource, 'A disk of Google Compute Engine; served by a CSI driver now.'),
  awsElasticBlockStore: opt(4, AWSElasticBlockStoreVolumeSource, 'A disk of Amazon EBS; served by a CSI driver now.'),
  gitRepo: opt(5, GitRepoVolumeSource, 'Deprecated: a git repository.'),
  secret: opt(6, SecretVolumeSource, 'The entries of a secret, as files.'),
  nfs: opt(7, NFSVolumeSource, 'An NFS share.'),
  iscsi: opt(8, ISCSIVolumeSource, 'An iSCSI disk.'),
  glusterfs: opt(9, GlusterfsVolumeSource, 'A Gluster volume; no longer supported.'),
  persistentVolumeClaim: opt(10, PersistentVolumeClaimVolumeSource, 'A claim for a persistent volume.'),
  rbd: opt(11, RBDVolumeSource, 'A Ceph block device; no longer supported.'),
  flexVolume: opt(12, FlexVolumeSource, 'A volume of a FlexVolume driver; deprecated.'),
  cinder: opt(13, CinderVolumeSource, 'A disk of OpenStack Cinder; served by a CSI driver now.'),
  cephfs: opt(14, CephFSVolumeSource, 'A Ceph file system; no longer supported.'),
  flocker: opt(15, FlockerVolumeSource, 'A Flocker data set; no longer supported.'),
  downwardAPI: opt(16, DownwardAPIVolumeSource, 'Fields of the pod, as files.'),
  fc: opt(17, FCVolumeSource, 'A Fibre Channel disk.'),
  azureFile: opt(18, AzureFileVolumeSource, 'An Azure file share; served by a CSI driver now.'),
  configMap: opt(19, ConfigMapVolumeSource, 'The entries of a config map, as files.'),
  vsphereVolume: opt(20, VsphereVirtualDiskVolumeSource, 'A vSphere disk; served by a CSI driver now.'),
  quobyte: opt(21, QuobyteVolumeSource, 'A Quobyte volume; no longer supported.'),
  azureDisk: opt(22, AzureDiskVolumeSource, 'An Azure disk; served by a CSI driver now.'),
  photonPersistentDisk: opt(23, PhotonPersistentDiskVolumeSource, 'A Photon disk; no longer supported.'),
  projected: opt(26, ProjectedVolumeSource, 'Several sources in one directory.'),
  portworxVolume: opt(24, PortworxVolumeSource, 'A Portworx volume; served by a CSI driver now.'),
  scaleIO: opt(25, ScaleIOVolumeSource, 'A ScaleIO volume; no longer supported.'),
  storageos: opt(27, StorageOSVolumeSource, 'A StorageOS volume; no longer supported.'),
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
  secretName: req(1, string, 'The secret to log in with.'),
  shareName: req(2, string, 'The share.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
  secretNamespace: opt(4, string, 'The namespace of the secret.'),
}, 'An Azure file share; served by a CSI driver now.')
export interface AzureFilePersistentVolumeSource extends Of<typeof AzureFilePersistentVolumeSource> {}

export const CSIPersistentVolumeSource = struct('CSIPersistentVolumeSource', {
  driver: req(1, string, 'The name of the driver.'),
  volumeHandle: req(2, string, 'What the driver calls the volume.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
  fsType: zero(4, string, 'The file system.'),
  volumeAttributes: zero(5, map(string), 'What the driver said of the volume when it made it.'),
  controllerPublishSecretRef: opt(6, SecretReference, 'The secret for attaching.'),
  nodeStageSecretRef: opt(7, SecretReference, 'The secret for staging on a node.'),
  nodePublishSecretRef: opt(8, SecretReference, 'The secret for mounting.'),
  controllerExpandSecretRef: opt(9, SecretReference, 'The secret for growing.'),
  nodeExpandSecretRef: opt(10, SecretReference, 'The secret for growing on a node.'),
}, 'A volume of a CSI driver.')
export interface CSIPersistentVolumeSource extends Of<typeof CSIPersistentVolumeSource> {}

export const CephFSPersistentVolumeSource = struct('CephFSPersistentVolumeSource', {
  monitors: req(1, list(string), 'Its monitors.'),
  path: zero(2, string, 'The path.'),
  user: zero(3, string, 'The user to log in as.'),
  secretFile: zero(4, string, 'A file with the secret.'),
  secretRef: opt(5, SecretReference, 'A secret to log in with.'),
  readOnly: zero(6, bool, 'Mount it read-only.'),
}, 'A Ceph file system; no longer supported.')
export interface CephFSPersistentVolumeSource extends Of<typeof CephFSPersistentVolumeSource> {}

export const CinderPersistentVolumeSource = struct('CinderPersistentVolumeSource', {
  volumeID: req(1, string, 'What the storage calls it.'),
  fsType: zero(2, string, 'The file system.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
  secretRef: opt(4, SecretReference, 'A secret to log in with.'),
}, 'A disk of OpenStack Cinder; served by a CSI driver now.')
export interface CinderPersistentVolumeSource extends Of<typeof CinderPersistentVolumeSource> {}

export const FlexPersistentVolumeSource = struct('FlexPersistentVolumeSource', {
  driver: req(1, string, 'The driver.'),
  fsType: zero(2, string, 'The file system.'),
  secretRef: opt(3, SecretReference, 'A secret to log in with.'),
  readOnly: zero(4, bool, 'Mount it read-only.'),
  options: zero(5, map(string), 'Settings for the driver.'),
}, 'A volume of a FlexVolume driver; deprecated.')
export interface FlexPersistentVolumeSource extends Of<typeof FlexPersistentVolumeSource> {}

export const GlusterfsPersistentVolumeSource = struct('GlusterfsPersistentVolumeSource', {
  endpoints: req(1, string, 'The endpoints of the storage.'),
  path: req(2, string, 'The path.'),
  readOnly: zero(3, bool, 'Mount it read-only.'),
  endpointsNamespace: opt(4, string, 'The namespace of the endpoints.'),
}, 'A Gluster volume; no longer supported.')
export interface GlusterfsPersistentVolumeSource extends Of<typeof GlusterfsPersistentVolumeSource> {}

export const ISCSIPersistentVolumeSource = struct('ISCSIPersistentVolumeSource', {
  targetPortal: req(1, string, 'The address of the target.'),
  iqn: req(2, string, 'The name of the target.'),
  lun: req(3, int32, 'The number of the disk.'),
  iscsiInterface: zero(4, string, { doc: 'The interface.', default: 'default' }),
  fsType: zero(5, string, 'The file system.'),
  readOnly: zero(6, bool, 'Mount it read-only.'),
  portals: zero(7, list(string), 'More addresses of the target.'),
  chapAuthDiscovery: zero(8, bool, 'Whether discovery logs in by CHAP.'),
  chapAuthSession: zero(11, bool, 'Whether sessions log in by CHAP.'),
  secretRef: opt(10, SecretReference, 'A secret to log in with.'),
  initiatorName: opt(12, string, 'The name of the initiator.'),
}, 'An iSCSI disk.')
export interface ISCSIPersistentVolumeSource extends Of<typeof ISCSIPersistentVolumeSource> {}

export const LocalVolumeSource = struct('LocalVolumeSource', {
  path: req(1, string, 'The path on the node.'),
  fsType: opt(2, string, 'The file system, if the path is a block device.'),
}, 'A disk or directory of one node.')
export interface LocalVolumeSource extends Of<typeof LocalVolumeSource> {}

export const RBDPersistentVolumeSource = struct('RBDPersistentVolumeSource', {
  monitors: req(1, list(string), 'Its monitors.'),
  image: req(2, string, 'The image.'),
  fsType: zero(3, string, 'The file system.'),
  pool: zero(4, string, { doc: 'The pool.', default: 'rbd' }),
  user: zero(5, string, { doc: 'The user to log in as.', default: 'admin' }),
  keyring: zero(6, string, { doc: 'The key ring.', default: '/etc/ceph/keyring' }),
  secretRef: opt(7, SecretReference, 'A secret to log in with.'),
  readOnly: zero(8, bool, 'Mount it read-only.'),
}, 'A Ceph block device; no longer supported.')
export interface RBDPersistentVolumeSource extends Of<typeof RBDPersistentVolumeSource> {}

export const ScaleIOPersistentVolumeSource = struct('ScaleIOPersistentVolumeSource', {
  gateway: req(1, string, 'The gateway.'),
  system: req(2, string, 'The system.'),
  secretRef: must(3, SecretReference, 'A secret to log in with.'),
  sslEnabled: zero(4, bool, 'Whether TLS is spoken.'),
  protectionDomain: zero(5, string, 'The protection domain.'),
  storagePool: zero(6, string, 'The storage pool.'),
  storageMode: zero(7, string, { doc: 'How storage is provisioned.', default: 'ThinProvisioned' }),
  volumeName: zero(8, string, 'The name of the volume.'),
  fsType: zero(9, string, { doc: 'The file system.', default: 'xfs' }),
  readOnly: zero(10, bool, 'Mount it read-only.'),
}, 'A ScaleIO volume; no longer supported.')
export interface ScaleIOPersistentVolumeSource extends Of<typeof ScaleIOPersistentVolumeSource> {}

export const StorageOSPersistentVolumeSource = struct('StorageOSPersistentVolumeSource', {
  volumeName: zero(1, string, 'The name of the volume.'),
  volumeNamespace: zero(2, string, 'The namespace of the volume.'),
  fsType: zero(3, string, 'The file system.'),
  readOnly: zero(4, bool, 'Mount it read-only.'),
  secretRef: opt(5, ObjectReference, 'A secret to log in with.'),
}, 'A StorageOS volume; no longer supported.')
export interface StorageOSPersistentVolumeSource extends Of<typeof StorageOSPersistentVolumeSource> {}

export const PersistentVolumeSource = struct('PersistentVolumeSource', {
  gcePersistentDisk: opt(1, GCEPersistentDiskVolumeSource, 'A disk of Google Compute Engine; served by a CSI driver now.'),
  awsElasticBlockStore: opt(2, AWSElasticBlockStoreVolumeSource, 'A disk of Amazon EBS; served by a CSI driver now.'),
  hostPath: opt(3, HostPathVolumeSource, 'A directory of the node, for trying things out.'),
  glusterfs: opt(4, GlusterfsPersistentVolumeSource, 'A Gluster volume; no longer supported.'),
  nfs: opt(5, NFSVolumeSource, 'An NFS share.'),
  rbd: opt(6, RBDPersistentVolumeSource, 'A Ceph block device; no longer supported.'),
  iscsi: opt(7, ISCSIPersistentVolumeSource, 'An iSCSI disk.'),
  cinder: opt(8, CinderPersistentVolumeSource, 'A disk of OpenStack Cinder; served by a CSI driver now.'),
  cephfs: opt(9, CephFSPersistentVolumeSource, 'A Ceph file system; no longer supported.'),
  fc: opt(10, FCVolumeSource, 'A Fibre Channel disk.'),
  flocker: opt(11, FlockerVolumeSource, 'A Flocker data set; no longer supported.'),
  flexVolume: opt(12, FlexPersistentVolumeSource, 'A volume of a FlexVolume driver; deprecated.'),
  azureFile: opt(13, AzureFilePersistentVolumeSource, 'An Azure file share; served by a CSI driver now.'),
  vsphereVolume: opt(14, VsphereVirtualDiskVolumeSource, 'A vSphere disk; served by a CSI driver now.'),
  quobyte: opt(15, QuobyteVolumeSource, 'A Quobyte volume; no longer supported.'),
  azureDisk: opt(16, AzureDiskVolumeSource, 'An Azure disk; served by a CSI driver now.'),
  photonPersistentDisk: opt(17, PhotonPersistentDiskVolumeSource, 'A Photon disk; no longer supported.'),
  portworxVolume: opt(18, PortworxVolumeSource, 'A Portworx volume; served by a CSI driver now.'),
  scaleIO: opt(19, ScaleIOPersistentVolumeSource, 'A ScaleIO volume; no longer supported.'),
  local: opt(20, LocalVolumeSource, 'A disk or directory of one node.'),
  storageos: opt(21, StorageOSPersistentVolumeSource, 'A StorageOS volume; no longer supported.'),
  csi: opt(22, CSIPersistentVolumeSource, 'A volume of a CSI driver.'),
}, 'Where a persistent volume comes from: exactly one of these.')
export interface PersistentVolumeSource extends Of<typeof PersistentVolumeSource> {}
