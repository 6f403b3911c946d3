# etcd-node on every machine of a cluster; puppet apply --noop shows what it would do.
package { 'etcd-node': ensure => installed }
-> file { '/etc/default/etcd':
  mode    => '0644',
  content => "ETCD_INITIAL_CLUSTER=etcd-1=http://192.168.122.5:2380,etcd-2=http://192.168.122.6:2380,etcd-3=http://192.168.122.7:2380\n",
}
# Not waited for: the first machine of a new cluster waits for the second.
-> service { 'etcd':
  ensure => running,
  enable => true,
  start  => 'systemctl start --no-block etcd',
}
# The nodes take turns, so that all machines may do this in the same run. One whose member
# has not served yet starts with the new file anyway.
exec { 'etcd-node reload':
  path        => ['/usr/bin', '/bin'],
  onlyif      => 'etcd-node status',
  subscribe   => File['/etc/default/etcd'],
  require     => Service['etcd'],
  refreshonly => true,
  timeout     => 900,
}
