#include "server/handlers/form_fault.h"

#include "server/handlers/problem.h"

struct form_fault form_fault_of_errno(int error)
{
    return (struct form_fault){.status = problem_status_of_errno(error), .error = error};
}
