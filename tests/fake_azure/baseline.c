#include "baseline.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "core/json.h"
#include "draw.h"

enum { FAMILY_NAMES = 40 };

struct rule_family {
    const char *before, *after, *category;
    enum rule_severity severity;
    const char *names[FAMILY_NAMES];
};

/* clang-format off */
static const struct rule_family windows_families[] = {
    { "User right: ", "", "Security Options - User Rights", RULE_CRITICAL, {
      "act as part of the system", "add workstations", "back up files", "bypass traverse checks",
      "change the system time", "change the time zone", "create a page file", "create a token",
      "create global objects", "create symbolic links", "debug programs", "deny batch logon",
      "deny local logon", "deny network access", "deny remote desktop", "force remote shutdown",
      "generate audit entries", "impersonate a client", "increase priority", "load drivers",
      "lock pages", "log on as a batch job", "log on as a service", "manage the audit log",
      "modify firmware values", "profile one process", "profile the system", "replace a token",
      "restore files", "shut down", "synchronise the directory", "take ownership" } },
    { "Audit \"", "\" events", "System Audit Policies", RULE_WARNING, {
      "account lockout", "application group", "authentication policy", "authorization policy",
      "computer account", "credential validation", "detailed file share", "file share",
      "group membership", "IPsec driver", "Kerberos ticket", "logoff", "logon", "other logon",
      "other object access", "PNP activity", "policy change", "process creation", "removable disk",
      "security group", "security state", "security system", "sensitive privilege", "special logon",
      "system integrity", "user account" } },
    { "Firewall profile ", "", "Windows Firewall", RULE_CRITICAL, {
      "domain: state", "domain: inbound", "domain: outbound", "domain: notification",
      "domain: log size", "domain: log drops", "domain: log success", "private: state",
      "private: inbound", "private: outbound", "private: notification", "private: log size",
      "private: log drops", "private: log success", "public: state", "public: inbound",
      "public: outbound", "public: notification", "public: log size", "public: log drops",
      "public: log success", "public: local rules", "public: local IPsec rules" } },
    { "Account policy: ", "", "Account Policies", RULE_CRITICAL, {
      "password history", "longest password age", "shortest password age", "password length",
      "password complexity", "reversible encryption", "lockout threshold", "lockout duration",
      "lockout reset" } },
    { "Network security: ", "", "Security Options - Network", RULE_WARNING, {
      "LAN Manager level", "LDAP client signing", "NTLM client sessions", "NTLM server sessions",
      "anonymous enumeration", "anonymous SID translation", "named pipes", "null session fallback",
      "SMB client signing", "SMB server signing", "SMB 1.0", "registry paths", "idle time" } },
    { "Interactive logon: ", "", "Security Options - Logon", RULE_INFORMATION, {
      "last user name", "Ctrl+Alt+Del", "inactivity limit", "message text", "message title",
      "cached logons", "password expiry prompt", "smart card removal" } },
    { "Service ", " is disabled", "System Services", RULE_WARNING, {
      "Bluetooth Support", "Computer Browser", "Downloaded Maps", "Geolocation", "IIS Admin",
      "Infrared Monitor", "Internet Sharing", "LxssManager", "FTP", "Peer Network", "Print Spooler",
      "Remote Procedure Locator", "Remote Registry", "Routing", "RPC Locator", "Simple TCP/IP",
      "SNMP", "SSDP Discovery", "UPnP Host", "Web Management", "Xbox Accessory" } },
    { "Administrative template: ", "", "Administrative Templates", RULE_INFORMATION, {
      "autoplay", "AutoRun", "camera on lock screen", "slide show", "cloud", "credential UI",
      "data collection", "Digest", "early launch drivers", "event log sizes", "File Explorer DEP",
      "Group Policy refresh", "hardened UNC paths", "indexing of encrypted files", "LLMNR",
      "Microsoft account", "network bridge", "PowerShell script blocks", "PowerShell transcripts",
      "Remote Assistance", "Remote Desktop encryption", "RPC clients", "SmartScreen", "WDigest",
      "Windows Installer", "WinRM basic", "WinRM unencrypted" } },
    { "Antivirus: ", "", "Microsoft Defender Antivirus", RULE_CRITICAL, {
      "real-time protection", "behaviour monitoring", "e-mail scanning", "removable drives",
      "cloud protection", "sample submission", "network inspection", "PUA protection",
      "attack surface reduction", "network protection" } },
};

static const struct rule_family linux_families[] = {
    { "Ensure the service ", " is disabled", "Services", RULE_WARNING, {
      "avahi-daemon", "bind9", "bluetooth", "cups", "dhcpd", "dovecot", "httpd", "ldap", "named",
      "nfs-server", "nis", "rpcbind", "rsh", "rsync", "samba", "sendmail", "slapd", "snmpd",
      "talk", "telnet", "tftp", "vsftpd", "xinetd", "ypserv" } },
    { "Ensure permissions on ", " are configured", "File Permissions", RULE_CRITICAL, {
      "/etc/anacrontab", "/etc/at.allow", "/etc/cron.d", "/etc/cron.daily", "/etc/cron.hourly",
      "/etc/cron.monthly", "/etc/cron.weekly", "/etc/crontab", "/etc/group", "/etc/group-",
      "/etc/gshadow", "/etc/hosts.allow", "/etc/hosts.deny", "/etc/issue", "/etc/issue.net",
      "/etc/motd", "/etc/passwd", "/etc/passwd-", "/etc/shadow", "/etc/shadow-", "/etc/sudoers",
      "/etc/ssh/sshd_config", "/boot/grub/grub.cfg", "/var/log", "home folders" } },
    { "Ensure kernel parameter ", " is set", "Network and Kernel", RULE_WARNING, {
      "net.ipv4.ip_forward", "net.ipv4.conf.all.send_redirects", "net.ipv4.tcp_syncookies",
      "net.ipv4.conf.all.accept_redirects", "net.ipv4.conf.all.secure_redirects",
      "net.ipv4.conf.all.log_martians", "net.ipv4.conf.all.rp_filter", "kernel.randomize_va_space",
      "net.ipv4.conf.all.accept_source_route", "net.ipv4.icmp_echo_ignore_broadcasts",
      "net.ipv4.icmp_ignore_bogus_error_responses", "net.ipv6.conf.all.accept_ra",
      "net.ipv6.conf.all.accept_redirects", "net.ipv6.conf.all.forwarding", "fs.suid_dumpable",
      "fs.protected_hardlinks", "fs.protected_symlinks", "kernel.dmesg_restrict",
      "kernel.kptr_restrict", "kernel.sysrq", "kernel.yama.ptrace_scope" } },
    { "Ensure that the SSH option ", " is configured", "SSH Server", RULE_CRITICAL, {
      "AllowTcpForwarding", "AllowUsers", "Banner", "Ciphers", "ClientAliveInterval",
      "HostbasedAuthentication", "IgnoreRhosts", "KexAlgorithms", "LogLevel", "LoginGraceTime",
      "MACs", "MaxAuthTries", "MaxSessions", "MaxStartups", "PermitEmptyPasswords",
      "PermitRootLogin", "PermitUserEnvironment", "Protocol", "UsePAM", "X11Forwarding" } },
    { "Ensure the package ", " is not installed", "Packages", RULE_INFORMATION, {
      "ftp", "ldap-utils", "nis", "openldap-clients", "prelink", "rsh-client", "rsh-server", "talk",
      "telnet", "telnet-server", "tftp-server", "xserver-xorg", "ypbind", "ypserv" } },
    { "Ensure changes to \"", "\" are audited", "Auditing", RULE_WARNING, {
      "date and time", "users and groups", "network environment", "mandatory access control",
      "login and logout", "session initiation", "discretionary access", "failed file access",
      "privileged commands", "file system mounts", "file deletion", "sudoers", "kernel modules",
      "sudo log", "audit configuration", "time zone" } },
    { "Ensure the mount ", "", "File Systems", RULE_INFORMATION, {
      "/tmp has nodev", "/tmp has nosuid", "/tmp has noexec", "/var/tmp has nodev",
      "/var/tmp has nosuid", "/var/tmp has noexec", "/home has nodev", "/dev/shm has nodev",
      "/dev/shm has nosuid", "/dev/shm has noexec", "of cramfs is off", "of freevxfs is off",
      "of jffs2 is off", "of hfs is off", "of hfsplus is off", "of squashfs is off",
      "of udf is off", "of vfat is off", "of usb-storage is off" } },
    { "Ensure password ", "", "Accounts", RULE_CRITICAL, {
      "ageing is 365 days", "minimum age is 7 days", "warning is 7 days", "hashing is SHA-512",
      "reuse is limited", "quality is required", "lockout is configured", "fields are not empty",
      "of root is set", "of inactive users is locked" } },
};
/* clang-format on */

const char *baseline_assignment(enum os os)
{
    return os == OS_WINDOWS ? "AzureWindowsBaseline" : "AzureLinuxBaseline";
}

const char *baseline_severity(const struct rule *rule)
{
    static const char *const words[] = { "High", "Medium", "Low" };
    return words[rule->severity];
}

static void add_rule(struct baseline *baseline, enum os os, size_t number, const char *name,
                     const char *category, enum rule_severity severity)
{
    struct rule *rule = &baseline->rules[os][number];
    char id[24];
    snprintf(id, sizeof id, "%s-%05zu", os == OS_WINDOWS ? "AZ-WIN" : "msid", number * 7 + 11);
    rule->name = arena_text(&baseline->texts, name);
    rule->category = category;
    rule->severity = severity;
    rule->id = number % 23 == 4 ? "" : arena_text(&baseline->texts, id);
    draw_guid((uint64_t)os, DRAW_RULE, number, rule->key);
}

/* Name the rules of one system; extras make up the rest. */
static void add_rules(struct baseline *baseline, enum os os, const struct rule_family *families,
                      size_t family_count)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    size_t number = 0;
    for (size_t f = 0; f < family_count; f++)
        for (size_t n = 0; n < FAMILY_NAMES && families[f].names[n]; n++) {
            buf_reset(&name);
            buf_printf(&name, "%s%s%s", families[f].before, families[f].names[n],
                       families[f].after);
            /* the exception of every list: one rule of each family is of another severity */
            enum rule_severity severity =
                n == 3 ? (families[f].severity + 1) % RULE_SEVERITY_COUNT : families[f].severity;
            add_rule(baseline, os, number++, buf_cstr(&name), families[f].category, severity);
        }
    for (size_t extra = 1; number < RULES_MAX; extra++) {
        buf_reset(&name);
        buf_printf(&name, "%s %03zu", os == OS_WINDOWS ? "Registry policy" : "Ensure policy",
                   extra);
        add_rule(baseline, os, number++, buf_cstr(&name), "Other",
                 extra % 5 ? RULE_INFORMATION : RULE_WARNING);
    }
}

static int compare_keys(const void *left, const void *right, void *rules)
{
    const struct rule *all = rules;
    return strcmp(all[*(const uint16_t *)left].key, all[*(const uint16_t *)right].key);
}

static int compare_names(const void *left, const void *right, void *rules)
{
    const struct rule *all = rules;
    return strcmp(all[*(const uint16_t *)left].name, all[*(const uint16_t *)right].name);
}

void baseline_build(struct baseline *baseline, uint64_t seed)
{
    baseline->seed = seed;
    add_rules(baseline, OS_WINDOWS, windows_families, ARRAY_COUNT(windows_families));
    add_rules(baseline, OS_LINUX, linux_families, ARRAY_COUNT(linux_families));
    for (int os = 0; os < OS_COUNT; os++) {
        for (size_t i = 0; i < RULES_MAX; i++)
            baseline->by_key[os][i] = baseline->by_name[os][i] = (uint16_t)i;
        qsort_r(baseline->by_key[os], RULES_MAX, sizeof(uint16_t), compare_keys,
                baseline->rules[os]);
        qsort_r(baseline->by_name[os], RULES_MAX, sizeof(uint16_t), compare_names,
                baseline->rules[os]);
    }
}

void baseline_finish(struct baseline *baseline)
{
    arena_finish(&baseline->texts);
}

void baseline_fill(const struct baseline *baseline, struct machine *machine, uint64_t number)
{
    if (machine->state == MACHINE_PENDING || number % 19 == 8)
        return; /* nothing known, or a model machine */
    uint32_t percent = 2 + draw_below(baseline->seed, DRAW_MACHINE, number, 25);
    for (size_t rule = 0; rule < machine->rules; rule++)
        if (draw_below(baseline->seed, DRAW_FAILING, number * RULES_MAX + rule, 100) < percent)
            baseline_flip(machine, rule);
}

const char *baseline_version(const struct baseline *baseline, enum os os, struct arena *scratch)
{
    char text[32];
    snprintf(text, sizeof text, "1.%u.0.0", baseline->versions[os]);
    return arena_text(scratch, text);
}

void baseline_widen(struct machine *machine, size_t rules)
{
    for (size_t rule = machine->rules; rule < rules; rule++)
        if (!baseline_fails(machine, rule))
            baseline_flip(machine, rule);
    machine->rules = (uint16_t)rules;
}

bool baseline_fails(const struct machine *machine, size_t rule)
{
    return machine->failing[rule / 8] >> rule % 8 & 1;
}

bool baseline_has_failed(const struct machine *machine, size_t rule)
{
    return machine->has_failed[rule / 8] >> rule % 8 & 1;
}

void baseline_flip(struct machine *machine, size_t rule)
{
    machine->failing[rule / 8] ^= (uint8_t)(1u << rule % 8);
    machine->has_failed[rule / 8] |= machine->failing[rule / 8];
}

size_t baseline_failing(const struct machine *machine)
{
    size_t count = 0;
    for (size_t rule = 0; rule < machine->rules; rule++)
        count += baseline_fails(machine, rule);
    return count;
}

/* The forms of Azure/azure-osconfig's sentences. */
static void linux_phrase(const struct rule *rule, uint32_t dice, struct buf *text)
{
    const char *name = rule->name;
    if (dice < 20)
        buf_printf(text, "Access to '/etc/%s' (0%o) does not match expected (0600)", rule->key,
                   0600 + dice);
    else if (dice < 35)
        buf_printf(text,
                   "'%.20s' is not set to a value of 6 or less in SSH Server response (but to %u)",
                   name, dice);
    else if (dice < 45)
        buf_printf(text,
                   "'%.20s' is not set to 'no' in SSH Server response (but to 'yes'), also '%.20s' "
                   "not found in '/etc/ssh/sshd_config' or it's commented out with '#'",
                   name, name);
    else if (dice < 60)
        buf_printf(text, "'%.20s' is set to %u instead of 0 in '/etc/sysctl.conf'", name, dice);
    else if (dice < 70)
        buf_printf(text,
                   "Configured 'PASS_MAX_DAYS' in '/etc/login.defs' of %u days is more than "
                   "requested 365 days",
                   1000 * dice);
    else if (dice < 80)
        buf_text(text, "Audit failed. See /var/log/osconfig_nrp.*");
    else
        buf_printf(text,
                   "\xe2\x9d\x8c All of the following must hold\n"
                   "\t\xe2\x9c\x85 \"%.20s\" is there\n"
                   "\t\xe2\x9d\x8c the mode is 0%o <not 0600>\n"
                   "\t\xe2\x9e\x96 nothing else was looked at\n",
                   name, 0600 + dice);
}

const char *baseline_code(const struct baseline *baseline, const struct machine *machine,
                          size_t rule, struct arena *scratch)
{
    CLEANUP(buf_finish) struct buf code = { 0 };
    if (machine->os == OS_WINDOWS)
        return ""; /* source: Azure/azure-policy */
    buf_printf(&code, "BaselineSettingNotCompliant:{%s}", baseline->rules[machine->os][rule].key);
    return arena_text(scratch, buf_cstr(&code));
}

const char *baseline_reasons(const struct baseline *baseline, const struct machine *machine,
                             size_t rule, const char **phrase, struct arena *scratch)
{
    static const char *const brackets[] = { "[Critical]", "[Warning]", "[Informational]" };
    const struct rule *known = &baseline->rules[machine->os][rule];
    uint32_t dice = draw_below(baseline->seed, DRAW_PHRASE,
                               (uint64_t)machine->resource * RULES_MAX + rule, 100);
    CLEANUP(buf_finish) struct buf text = { 0 };
    *phrase = "";
    if (dice < 2)
        return "[]";
    if (dice < 4)
        return "\"[]\"";
    if (machine->os == OS_WINDOWS && dice < 80)
        buf_printf(&text, "%s \"%s\" is not one of the expected values: [\"0\",\"%u\"]",
                   brackets[known->severity], known->name, dice);
    else if (machine->os == OS_WINDOWS && dice < 94)
        buf_printf(&text, "%s [] is missing one or more of the required values: [\"*S-1-5-%u\"]",
                   brackets[known->severity], dice);
    else if (machine->os == OS_WINDOWS && dice < 97)
        buf_printf(&text, " [%s]value missing",
                   known->severity == RULE_CRITICAL ? "CRITICAL" : "warning");
    else if (machine->os == OS_LINUX && dice < 90)
        linux_phrase(known, dice, &text);
    else
        buf_text(&text, "Could not be evaluated\r\n\tsee \"the log\"");
    *phrase = arena_text(scratch, buf_cstr(&text));
    buf_reset(&text);
    struct json_writer writer = { .out = &text };
    json_open(&writer, NULL, '[');
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "phrase", *phrase);
    json_add_text(&writer, "code", baseline_code(baseline, machine, rule, scratch));
    json_close(&writer, '}');
    json_close(&writer, ']');
    return arena_text(scratch, buf_cstr(&text));
}

void baseline_text(const struct baseline *baseline, enum os os, size_t rule, struct arena *scratch,
                   struct baseline_text *text)
{
    static const char *const impacts[] = { "", "N/A", "Old clients may no longer <b>connect</b>.",
                                           "" };
    const struct rule *known = &baseline->rules[os][rule];
    CLEANUP(buf_finish) struct buf out = { 0 };
    *text = (struct baseline_text){ "", impacts[rule % 4], "" };
    buf_printf(&out, "<p>%s (%s): without it an attacker who is on the machine gets further.</p>",
               known->name, known->category);
    if (rule % 11 != 7)
        text->description = arena_text(scratch, buf_cstr(&out));
    buf_reset(&out);
    if (os == OS_WINDOWS)
        buf_printf(&out,
                   "1. Open <b>gpedit.msc</b>.<br>2. Under <i>%s</i> set \"%s\" as recommended."
                   "<br>3. Run <code>gpupdate /force</code>.",
                   known->category, known->name);
    else
        buf_printf(&out,
                   "<ol><li>Log on as root.</li><li>%s: edit the file that <code>%s</code> names."
                   "</li><li>Restart what reads it.</li></ol>",
                   known->name, known->category);
    text->remediation = rule % 13 == 5 ? "N/A" : arena_text(scratch, buf_cstr(&out));
}
