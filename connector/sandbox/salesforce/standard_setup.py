"""The standard fields of an org's own things: User, Group, Organization, LeadStatus, OpportunityStage.

Tables only. Field names follow recorded queries and the public object reference (facts/salesforce.md 9.2,
10).
"""

from __future__ import annotations

from typing import Final

USER: Final = """
Id                       id - di
Username                 string 80 cui
LastName                 string 80 cu
FirstName                string 40 cun
Name                     string 121 N
CompanyName              string 80 cun
Division                 string 80 cun
Department               string 80 cun
Title                    string 80 cun
Street                   textarea 255 cun
City                     string 40 cun
State                    string 80 cun
PostalCode               string 20 cun
Country                  string 80 cun
Email                    email 128 cui
Phone                    phone 40 cun
MobilePhone              phone 40 cun
Alias                    string 8 cun
CommunityNickname        string 40 cun
IsActive                 boolean - cud
TimeZoneSidKey           picklist 40 cund
LocaleSidKey             picklist 40 cund
EmailEncodingKey         picklist 40 cund
LanguageLocaleKey        picklist 40 cund
UserRoleId               reference - cun
ProfileId                reference - cun
UserType                 picklist 40 nd
EmployeeNumber           string 20 cun
ManagerId                reference User cun @Manager
LastLoginDate            datetime - n
FederationIdentifier     string 512 cuni
AboutMe                  textarea 1000 cun
"""

GROUP: Final = """
Id                       id - di
Name                     string 40 cuN
DeveloperName            string 80 cun
RelatedId                reference User n @Related
Type                     picklist 40 cr =GroupType
Email                    email 255 cun
OwnerId                  reference - nd
DoesSendEmailToMembers   boolean - cud
DoesIncludeBosses        boolean - cud
"""

ORGANIZATION: Final = """
Id                       id - di
Name                     string 80 uN
Division                 string 80 un
Street                   textarea 255 un ^Address
City                     string 40 un ^Address
State                    string 80 un ^Address
PostalCode               string 20 un ^Address
Country                  string 80 un ^Address
Address                  address - n
Phone                    phone 40 un
PrimaryContact           string 80 un
DefaultLocaleSidKey      picklist 40 u
TimeZoneSidKey           picklist 40 u
LanguageLocaleKey        picklist 40 u
FiscalYearStartMonth     int - n
OrganizationType         picklist 40 n
NamespacePrefix          string 15 n
InstanceName             string 5 n
IsSandbox                boolean - d
IsReadOnly               boolean - d
TrialExpirationDate      datetime - n
"""

LEAD_STATUS: Final = """
Id                       id - di
MasterLabel              string 255 nN
ApiName                  string 255 n
SortOrder                int - n
IsDefault                boolean - d
IsConverted              boolean - d
"""

OPPORTUNITY_STAGE: Final = """
Id                       id - di
MasterLabel              string 255 nN
ApiName                  string 255 n
IsActive                 boolean - d
SortOrder                int - n
IsClosed                 boolean - d
IsWon                    boolean - d
ForecastCategory         picklist 40 n
ForecastCategoryName     picklist 255 n
DefaultProbability       percent 3.0 n
Description              string 255 n
"""
