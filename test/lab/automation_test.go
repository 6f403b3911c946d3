package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcd-node/etcd-node/test/prober"
)

// The files for Ansible, cloud-init and Puppet do on three hosts what they say. They need
// hosts with these programs: `make automation-test`.
func TestAutomation(t *testing.T) {
	if os.Getenv("ETCD_NODE_AUTOMATION") == "" {
		t.Skip("needs hosts with Python, cloud-init and Puppet (make automation-test)")
	}
	files := debs(t)
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	automation := filepath.Join(root, "deploy", "automation")

	t.Run("Ansible", func(t *testing.T) {
		c := bare(t, 3)
		dir := t.TempDir()
		play := func(deb string, settings ...string) string {
			t.Helper()
			// Ansible's ssh is a way into the hosts.
			write := func(name, text string, mode os.FileMode) string {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, []byte(text), mode); err != nil {
					t.Fatal(err)
				}
				return path
			}
			ssh := write("ssh", "#!/bin/bash\nfor a; do case $a in 192.168.122.*) h=$a;; esac; done\nexec "+c.script+" exec etcd-$((${h##*.} - 4)) sh -c \"${@: -1}\"\n", 0o755)
			inventory := "[etcd]\n"
			for _, h := range c.Hosts {
				inventory += h.IP + "\n"
			}
			inventory += "[etcd:vars]\nansible_ssh_executable=" + ssh + "\nansible_ssh_transfer_method=piped\nansible_python_interpreter=/usr/bin/python3\nansible_remote_tmp=/tmp/ansible\n"
			lines := "etcd_settings:\n"
			for _, s := range append([]string{c.initialCluster()}, settings...) {
				lines += "- " + s + "\n"
			}
			cmd := exec.CommandContext(t.Context(), "ansible-playbook", "-i", write("inventory", inventory, 0o600), "-e", "etcd_node_deb="+deb, "-e", "@"+write("settings.yml", lines, 0o600), filepath.Join(automation, "ansible.yml"))
			cmd.Env = append(c.command(t.Context()).Env, "ANSIBLE_HOST_KEY_CHECKING=false", "ANSIBLE_NOCOLOR=1", "HOME="+dir)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			return string(out)
		}
		play(files[earlier])
		c.serves(nil)
		if out := play(files[earlier]); strings.Count(out, "changed=0") != 3 {
			t.Errorf("again, it changes something:\n%s", out)
		}
		open := c.client(c.Hosts...)
		for what, do := range map[string]func() string{
			"a setting":  func() string { return play(files[earlier], "ETCD_SNAPSHOT_COUNT=5000") },
			"an upgrade": func() string { return play(files[later], "ETCD_SNAPSHOT_COUNT=5000") },
		} {
			gaps := prober.Start(10*time.Millisecond, 5*time.Second, prober.Put("open", open))
			out := do()
			g := gaps.Stop()[0]
			t.Logf("%s: gap %v, %d of %d failed", what, g.Gap.Round(time.Millisecond), g.Failures, g.Tries)
			if g.Failures > 0 || strings.Count(out, "failed=0") != 3 {
				t.Errorf("%s:\n%s", what, out)
			}
		}
		for i := range c.Hosts {
			if out := c.run(i+1, "etcd-node", "status", "-o", "json"); !strings.Contains(out, `"version":"`) {
				t.Error(out)
			}
		}
	})
	t.Run("cloud-init", func(t *testing.T) {
		c := bare(t, 3)
		data, err := os.ReadFile(filepath.Join(automation, "cloud-init.yml"))
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range c.Hosts {
			if err := h.Write(t.Context(), "/var/lib/cloud/seed/nocloud/user-data", string(data), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := h.Write(t.Context(), "/var/lib/cloud/seed/nocloud/meta-data", fmt.Sprintf("instance-id: i%d\n", i), 0o600); err != nil {
				t.Fatal(err)
			}
			c.run(i+1, "cloud-init", "schema", "--config-file", "/var/lib/cloud/seed/nocloud/user-data")
			c.dpkg(i+1, files[earlier])
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			out, err := h.Run(ctx, "sh", "-c", "rm -f /etc/cloud/cloud-init.disabled; printf 'datasource_list: [NoCloud]\\nnetwork: {config: disabled}\\nmanage_etc_hosts: false\\npreserve_hostname: true\\n' >/etc/cloud/cloud.cfg.d/99.cfg; cloud-init init --local; cloud-init init; cloud-init modules --mode=config; cloud-init modules --mode=final; true") // other modules miss their network
			cancel()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		c.serves(nil)
	})
	t.Run("Puppet", func(t *testing.T) {
		c := bare(t, 3)
		manifest, err := os.ReadFile(filepath.Join(automation, "puppet.pp"))
		if err != nil {
			t.Fatal(err)
		}
		apply := func(i int, text string) string {
			t.Helper()
			if err := c.host(i).Write(t.Context(), "/root/etcd.pp", text, 0o600); err != nil {
				t.Fatal(err)
			}
			return c.run(i, "puppet", "apply", "/root/etcd.pp")
		}
		for i := range c.Hosts {
			c.dpkg(i+1, files[earlier])
			apply(i+1, string(manifest))
		}
		c.serves(nil)
		out := apply(1, strings.Replace(string(manifest), `2380\n",`, `2380\nETCD_SNAPSHOT_COUNT=5000\n",`, 1))
		_, member := c.procs(1)
		if !strings.Contains(strings.Join(member.Args, " "), "--snapshot-count=5000") {
			t.Errorf("the member runs as %q:\n%s", member.Args, out)
		}
	})
}
