#pragma once
/* What people call a kind of resource: "virtual machine". Pure. */

/* The words for a type as a finding has it ("microsoft.compute/virtualmachines", "ec2-instance"),
 * in any case; the type itself where there are none. */
const char *resource_type_words(const char *type);
