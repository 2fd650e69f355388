/**
 * The part of CRI v1 that is spoken here: `field=number type`, as in the runtime's own API definition. Fields that are
 * not used are left out; protobuf skips them.
 */

/** Request, response and whether the response is a stream, by method. */
export const methods = {
  Version: { service: 'RuntimeService', request: 'VersionRequest', response: 'VersionResponse' },
  RunPodSandbox: { service: 'RuntimeService', request: 'RunPodSandboxRequest', response: 'RunPodSandboxResponse' },
  StopPodSandbox: { service: 'RuntimeService', request: 'StopPodSandboxRequest', response: 'StopPodSandboxResponse' },
  RemovePodSandbox: { service: 'RuntimeService', request: 'RemovePodSandboxRequest', response: 'RemovePodSandboxResponse' },
  PodSandboxStatus: { service: 'RuntimeService', request: 'PodSandboxStatusRequest', response: 'PodSandboxStatusResponse' },
  ListPodSandbox: { service: 'RuntimeService', request: 'ListPodSandboxRequest', response: 'ListPodSandboxResponse' },
  CreateContainer: { service: 'RuntimeService', request: 'CreateContainerRequest', response: 'CreateContainerResponse' },
  StartContainer: { service: 'RuntimeService', request: 'StartContainerRequest', response: 'StartContainerResponse' },
  StopContainer: { service: 'RuntimeService', request: 'StopContainerRequest', response: 'StopContainerResponse' },
  RemoveContainer: { service: 'RuntimeService', request: 'RemoveContainerRequest', response: 'RemoveContainerResponse' },
  ListContainers: { service: 'RuntimeService', request: 'ListContainersRequest', response: 'ListContainersResponse' },
  ContainerStatus: { service: 'RuntimeService', request: 'ContainerStatusRequest', response: 'ContainerStatusResponse' },
  UpdateContainerResources: { service: 'RuntimeService', request: 'UpdateContainerResourcesRequest', response: 'UpdateContainerResourcesResponse' },
  ReopenContainerLog: { service: 'RuntimeService', request: 'ReopenContainerLogRequest', response: 'ReopenContainerLogResponse' },
  ExecSync: { service: 'RuntimeService', request: 'ExecSyncRequest', response: 'ExecSyncResponse' },
  Exec: { service: 'RuntimeService', request: 'ExecRequest', response: 'ExecResponse' },
  Attach: { service: 'RuntimeService', request: 'AttachRequest', response: 'AttachResponse' },
  PortForward: { service: 'RuntimeService', request: 'PortForwardRequest', response: 'PortForwardResponse' },
  ListContainerStats: { service: 'RuntimeService', request: 'ListContainerStatsRequest', response: 'ListContainerStatsResponse' },
  UpdateRuntimeConfig: { service: 'RuntimeService', request: 'UpdateRuntimeConfigRequest', response: 'UpdateRuntimeConfigResponse' },
  Status: { service: 'RuntimeService', request: 'StatusRequest', response: 'StatusResponse' },
  GetContainerEvents: { service: 'RuntimeService', request: 'GetEventsRequest', response: 'ContainerEventResponse', stream: true },
  ListImages: { service: 'ImageService', request: 'ListImagesRequest', response: 'ListImagesResponse' },
  ImageStatus: { service: 'ImageService', request: 'ImageStatusRequest', response: 'ImageStatusResponse' },
  PullImage: { service: 'ImageService', request: 'PullImageRequest', response: 'PullImageResponse' },
  RemoveImage: { service: 'ImageService', request: 'RemoveImageRequest', response: 'RemoveImageResponse' },
  ImageFsInfo: { service: 'ImageService', request: 'ImageFsInfoRequest', response: 'ImageFsInfoResponse' },
} as const

/** By name, the numbers of the values in their order. */
export const enums: Readonly<Record<string, readonly string[]>> = {
  ContainerEventType: ['CONTAINER_CREATED_EVENT', 'CONTAINER_STARTED_EVENT', 'CONTAINER_STOPPED_EVENT', 'CONTAINER_DELETED_EVENT'],
  ContainerState: ['CONTAINER_CREATED', 'CONTAINER_RUNNING', 'CONTAINER_EXITED', 'CONTAINER_UNKNOWN'],
  MountPropagation: ['PROPAGATION_PRIVATE', 'PROPAGATION_HOST_TO_CONTAINER', 'PROPAGATION_BIDIRECTIONAL'],
  NamespaceMode: ['POD', 'CONTAINER', 'NODE', 'TARGET'],
  PodSandboxState: ['SANDBOX_READY', 'SANDBOX_NOTREADY'],
  Protocol: ['TCP', 'UDP', 'SCTP'],
  SupplementalGroupsPolicy: ['Merge', 'Strict'],
  ProfileType: ['RuntimeDefault', 'Unconfined', 'Localhost'],
}

export const messages: Readonly<Record<string, string>> = {
  AttachRequest: 'container_id=1 string, stdin=2 bool, tty=3 bool, stdout=4 bool, stderr=5 bool',
  AttachResponse: 'url=1 string',
  AuthConfig:
    'username=1 string, password=2 string, auth=3 string, server_address=4 string, identity_token=5 string, '
    + 'registry_token=6 string',
  Capability: 'add_capabilities=1 repeated string, drop_capabilities=2 repeated string, add_ambient_capabilities=3 repeated string',
  Container:
    'id=1 string, pod_sandbox_id=2 string, metadata=3 ContainerMetadata, image=4 ImageSpec, image_ref=5 string, '
    + 'state=6 ContainerState, created_at=7 int64, labels=8 map<string,string>, annotations=9 map<string,string>, '
    + 'image_id=10 string',
  ContainerAttributes: 'id=1 string, metadata=2 ContainerMetadata, labels=3 map<string,string>, annotations=4 map<string,string>',
  ContainerConfig:
    'metadata=1 ContainerMetadata, image=2 ImageSpec, command=3 repeated string, args=4 repeated string, '
    + 'working_dir=5 string, envs=6 repeated KeyValue, mounts=7 repeated Mount, devices=8 repeated Device, '
    + 'labels=9 map<string,string>, annotations=10 map<string,string>, log_path=11 string, stdin=12 bool, stdin_once=13 bool, '
    + 'tty=14 bool, linux=15 LinuxContainerConfig',
  ContainerEventResponse:
    'container_id=1 string, container_event_type=2 ContainerEventType, created_at=3 int64, '
    + 'pod_sandbox_status=4 PodSandboxStatus, containers_statuses=5 repeated ContainerStatus',
  ContainerFilter: 'id=1 string, state=2 ContainerStateValue, pod_sandbox_id=3 string, label_selector=4 map<string,string>',
  ContainerMetadata: 'name=1 string, attempt=2 uint32',
  ContainerResources: 'linux=1 LinuxContainerResources',
  ContainerStateValue: 'state=1 ContainerState',
  ContainerStats: 'attributes=1 ContainerAttributes, cpu=2 CpuUsage, memory=3 MemoryUsage, writable_layer=4 FilesystemUsage',
  ContainerStatsFilter: 'id=1 string, pod_sandbox_id=2 string, label_selector=3 map<string,string>',
  ContainerStatus:
    'id=1 string, metadata=2 ContainerMetadata, state=3 ContainerState, created_at=4 int64, started_at=5 int64, '
    + 'finished_at=6 int64, exit_code=7 int32, image=8 ImageSpec, image_ref=9 string, reason=10 string, message=11 string, '
    + 'labels=12 map<string,string>, annotations=13 map<string,string>, mounts=14 repeated Mount, log_path=15 string, '
    + 'resources=16 ContainerResources, image_id=17 string, user=18 ContainerUser',
  ContainerStatusRequest: 'container_id=1 string, verbose=2 bool',
  ContainerStatusResponse: 'status=1 ContainerStatus, info=2 map<string,string>',
  ContainerUser: 'linux=1 LinuxContainerUser',
  CpuUsage: 'timestamp=1 int64, usage_core_nano_seconds=2 UInt64Value, usage_nano_cores=3 UInt64Value',
  CreateContainerRequest: 'pod_sandbox_id=1 string, config=2 ContainerConfig, sandbox_config=3 PodSandboxConfig',
  CreateContainerResponse: 'container_id=1 string',
  DNSConfig: 'servers=1 repeated string, searches=2 repeated string, options=3 repeated string',
  Device: 'container_path=1 string, host_path=2 string, permissions=3 string',
  ExecRequest: 'container_id=1 string, cmd=2 repeated string, tty=3 bool, stdin=4 bool, stdout=5 bool, stderr=6 bool',
  ExecResponse: 'url=1 string',
  ExecSyncRequest: 'container_id=1 string, cmd=2 repeated string, timeout=3 int64',
  ExecSyncResponse: 'stdout=1 bytes, stderr=2 bytes, exit_code=3 int32',
  FilesystemIdentifier: 'mountpoint=1 string',
  FilesystemUsage: 'timestamp=1 int64, fs_id=2 FilesystemIdentifier, used_bytes=3 UInt64Value, inodes_used=4 UInt64Value',
  GetEventsRequest: '',
  HugepageLimit: 'page_size=1 string, limit=2 uint64',
  Image:
    'id=1 string, repo_tags=2 repeated string, repo_digests=3 repeated string, size=4 uint64, uid=5 Int64Value, '
    + 'username=6 string, spec=7 ImageSpec, pinned=8 bool',
  ImageFilter: 'image=1 ImageSpec',
  ImageFsInfoRequest: '',
  ImageFsInfoResponse: 'image_filesystems=1 repeated FilesystemUsage, container_filesystems=2 repeated FilesystemUsage',
  ImageSpec:
    'image=1 string, annotations=2 map<string,string>, user_specified_image=18 string, runtime_handler=19 string, '
    + 'image_ref=20 string',
  ImageStatusRequest: 'image=1 ImageSpec, verbose=2 bool',
  ImageStatusResponse: 'image=1 Image, info=2 map<string,string>',
  Int64Value: 'value=1 int64',
  KeyValue: 'key=1 string, value=2 bytes',
  LinuxContainerConfig: 'resources=1 LinuxContainerResources, security_context=2 LinuxContainerSecurityContext',
  LinuxContainerResources:
    'cpu_period=1 int64, cpu_quota=2 int64, cpu_shares=3 int64, memory_limit_in_bytes=4 int64, oom_score_adj=5 int64, '
    + 'cpuset_cpus=6 string, cpuset_mems=7 string, hugepage_limits=8 repeated HugepageLimit, unified=9 map<string,string>, '
    + 'memory_swap_limit_in_bytes=10 int64',
  LinuxContainerSecurityContext:
    'capabilities=1 Capability, privileged=2 bool, namespace_options=3 NamespaceOption, selinux_options=4 SELinuxOption, '
    + 'run_as_user=5 Int64Value, run_as_group=12 Int64Value, run_as_username=6 string, readonly_rootfs=7 bool, '
    + 'supplemental_groups=8 repeated int64, supplemental_groups_policy=17 SupplementalGroupsPolicy, no_new_privs=11 bool, '
    + 'masked_paths=13 repeated string, readonly_paths=14 repeated string, seccomp=15 SecurityProfile, '
    + 'apparmor=16 SecurityProfile, apparmor_profile=9 string, seccomp_profile_path=10 string',
  LinuxContainerUser: 'uid=1 int64, gid=2 int64, supplemental_groups=3 repeated int64',
  LinuxPodSandboxConfig:
    'cgroup_parent=1 string, security_context=2 LinuxSandboxSecurityContext, sysctls=3 map<string,string>, '
    + 'overhead=4 LinuxContainerResources, resources=5 LinuxContainerResources',
  LinuxPodSandboxStatus: 'namespaces=1 Namespace',
  LinuxSandboxSecurityContext:
    'namespace_options=1 NamespaceOption, selinux_options=2 SELinuxOption, run_as_user=3 Int64Value, '
    + 'run_as_group=8 Int64Value, readonly_rootfs=4 bool, supplemental_groups=5 repeated int64, '
    + 'supplemental_groups_policy=11 SupplementalGroupsPolicy, privileged=6 bool, seccomp=9 SecurityProfile, '
    + 'apparmor=10 SecurityProfile, seccomp_profile_path=7 string',
  ListContainerStatsRequest: 'filter=1 ContainerStatsFilter',
  ListContainerStatsResponse: 'stats=1 repeated ContainerStats',
  ListContainersRequest: 'filter=1 ContainerFilter',
  ListContainersResponse: 'containers=1 repeated Container',
  ListImagesRequest: 'filter=1 ImageFilter',
  ListImagesResponse: 'images=1 repeated Image',
  ListPodSandboxRequest: 'filter=1 PodSandboxFilter',
  ListPodSandboxResponse: 'items=1 repeated PodSandbox',
  MemoryUsage:
    'timestamp=1 int64, working_set_bytes=2 UInt64Value, available_bytes=3 UInt64Value, usage_bytes=4 UInt64Value, '
    + 'rss_bytes=5 UInt64Value, page_faults=6 UInt64Value, major_page_faults=7 UInt64Value',
  Mount:
    'container_path=1 string, host_path=2 string, readonly=3 bool, selinux_relabel=4 bool, propagation=5 MountPropagation, '
    + 'recursive_read_only=8 bool, image=9 ImageSpec, image_sub_path=10 string',
  Namespace: 'options=2 NamespaceOption',
  NamespaceOption: 'network=1 NamespaceMode, pid=2 NamespaceMode, ipc=3 NamespaceMode, target_id=4 string',
  NetworkConfig: 'pod_cidr=1 string',
  PodIP: 'ip=1 string',
  PodSandbox:
    'id=1 string, metadata=2 PodSandboxMetadata, state=3 PodSandboxState, created_at=4 int64, labels=5 map<string,string>, '
    + 'annotations=6 map<string,string>, runtime_handler=7 string',
  PodSandboxConfig:
    'metadata=1 PodSandboxMetadata, hostname=2 string, log_directory=3 string, dns_config=4 DNSConfig, '
    + 'port_mappings=5 repeated PortMapping, labels=6 map<string,string>, annotations=7 map<string,string>, '
    + 'linux=8 LinuxPodSandboxConfig',
  PodSandboxFilter: 'id=1 string, state=2 PodSandboxStateValue, label_selector=3 map<string,string>',
  PodSandboxMetadata: 'name=1 string, uid=2 string, namespace=3 string, attempt=4 uint32',
  PodSandboxNetworkStatus: 'ip=1 string, additional_ips=2 repeated PodIP',
  PodSandboxStateValue: 'state=1 PodSandboxState',
  PodSandboxStatus:
    'id=1 string, metadata=2 PodSandboxMetadata, state=3 PodSandboxState, created_at=4 int64, '
    + 'network=5 PodSandboxNetworkStatus, linux=6 LinuxPodSandboxStatus, labels=7 map<string,string>, '
    + 'annotations=8 map<string,string>, runtime_handler=9 string',
  PodSandboxStatusRequest: 'pod_sandbox_id=1 string, verbose=2 bool',
  PodSandboxStatusResponse:
    'status=1 PodSandboxStatus, info=2 map<string,string>, containers_statuses=3 repeated ContainerStatus, '
    + 'timestamp=4 int64',
  PortForwardRequest: 'pod_sandbox_id=1 string, port=2 repeated int32',
  PortForwardResponse: 'url=1 string',
  PortMapping: 'protocol=1 Protocol, container_port=2 int32, host_port=3 int32, host_ip=4 string',
  PullImageRequest: 'image=1 ImageSpec, auth=2 AuthConfig, sandbox_config=3 PodSandboxConfig',
  PullImageResponse: 'image_ref=1 string',
  RemoveContainerRequest: 'container_id=1 string',
  RemoveContainerResponse: '',
  RemoveImageRequest: 'image=1 ImageSpec',
  RemoveImageResponse: '',
  RemovePodSandboxRequest: 'pod_sandbox_id=1 string',
  RemovePodSandboxResponse: '',
  ReopenContainerLogRequest: 'container_id=1 string',
  ReopenContainerLogResponse: '',
  RunPodSandboxRequest: 'config=1 PodSandboxConfig, runtime_handler=2 string',
  RunPodSandboxResponse: 'pod_sandbox_id=1 string',
  RuntimeCondition: 'type=1 string, status=2 bool, reason=3 string, message=4 string',
  RuntimeConfig: 'network_config=1 NetworkConfig',
  RuntimeFeatures: 'supplemental_groups_policy=1 bool, user_namespaces_host_network=2 bool',
  RuntimeHandler: 'name=1 string, features=2 RuntimeHandlerFeatures',
  RuntimeHandlerFeatures: 'recursive_read_only_mounts=1 bool, user_namespaces=2 bool',
  RuntimeStatus: 'conditions=1 repeated RuntimeCondition',
  SELinuxOption: 'user=1 string, role=2 string, type=3 string, level=4 string',
  SecurityProfile: 'profile_type=1 ProfileType, localhost_ref=2 string',
  StartContainerRequest: 'container_id=1 string',
  StartContainerResponse: '',
  StatusRequest: 'verbose=1 bool',
  StatusResponse:
    'status=1 RuntimeStatus, info=2 map<string,string>, runtime_handlers=3 repeated RuntimeHandler, '
    + 'features=4 RuntimeFeatures',
  StopContainerRequest: 'container_id=1 string, timeout=2 int64',
  StopContainerResponse: '',
  StopPodSandboxRequest: 'pod_sandbox_id=1 string',
  StopPodSandboxResponse: '',
  UInt64Value: 'value=1 uint64',
  UpdateContainerResourcesRequest: 'container_id=1 string, linux=2 LinuxContainerResources, annotations=4 map<string,string>',
  UpdateContainerResourcesResponse: '',
  UpdateRuntimeConfigRequest: 'runtime_config=1 RuntimeConfig',
  UpdateRuntimeConfigResponse: '',
  VersionRequest: 'version=1 string',
  VersionResponse: 'version=1 string, runtime_name=2 string, runtime_version=3 string, runtime_api_version=4 string',
}
